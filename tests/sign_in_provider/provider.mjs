// A real OpenID Connect provider (oidc-provider) on loopback: node provider.mjs PORT OUR_ADDRESS SECRET
// Its stock pages take any login; the login is the person, and "it-..." is in the group "it".
import Provider from "oidc-provider";

const [port, ours, secret] = process.argv.slice(2);
const issuer = `http://localhost:${port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "osteon",
      client_secret: secret,
      redirect_uris: [`${ours}/sign-in/callback`],
      post_logout_redirect_uris: [`${ours}/`],
    },
  ],
  claims: { openid: ["sub"], profile: ["preferred_username", "groups"] },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      preferred_username: id,
      groups: id.startsWith("it-") ? ["it", "all"] : ["all"],
    }),
  }),
  pkce: { required: () => true },
});
provider.listen(Number(port), "localhost", () => console.log(`provider ready: ${issuer}`));
