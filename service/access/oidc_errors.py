"""Why a sign-in at the provider did not end well; sentences of ours, nothing that was sent to us.

SignInFailed
├── ProviderAway    it does not answer
├── ProviderWrong   its answer cannot be believed
├── NotThisBrowser  the way back is not that of a sign-in which began in this browser
└── NoRole          the provider knows the person, and no group of theirs has a role here
"""


class SignInFailed(Exception):  # noqa: N818 - these name the condition
    """Nobody is signed in; `code` is stable."""

    code = "SIGN_IN_FAILED"


class ProviderAway(SignInFailed):
    """The provider does not answer."""

    code = "PROVIDER_AWAY"


class ProviderWrong(SignInFailed):
    """The provider refused, or what it said cannot be proven."""

    code = "PROVIDER_WRONG"


class NotThisBrowser(SignInFailed):
    """The answer belongs to no sign-in that this browser began within ten minutes."""

    code = "NOT_THIS_BROWSER"


class NoRole(SignInFailed):
    """None of the person's groups has a role here."""

    code = "NO_ROLE"
