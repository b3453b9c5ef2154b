"""Every setting of Osteon: the only module that reads the environment.

Precedence: command-line flags > `OSTEON_*` variables > `osteon.toml` > the defaults below. Nested
keys are joined by two underscores (`OSTEON_NODE__PORT=11112`). A variable that ends in `_FILE`
names a file that holds the value (`OSTEON_STORE__PASSWORD_FILE=/run/secrets/db`). Unknown keys are
errors, so that a misspelt setting is never silently a default.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from service.access_section import AccessSection
from service.archive_section import ArchiveSection
from service.audit_section import AuditSection
from service.console_section import ConsoleSection
from service.delivery_section import DeliverySection
from service.destination_section import DestinationSettings, StowSettings  # noqa: TC001
from service.dicomweb_section import DicomWebSection
from service.follow_up_section import FollowUpSection
from service.model_section import ModelSettings
from service.monitoring_settings import MonitoringSettings
from service.node_section import NodeSettings
from service.origins import Origins, keys_of
from service.report_section import ReportSettings
from service.sections import (
    AdcSection,
    ApiSettings,
    DiseaseSettings,
    NormalisationSection,
    QueueSettings,
    ReadingSection,
    ResultSettings,
    StoreSettings,
    WorkerSettings,
    with_password,
)
from service.webhook_section import WebhookSection

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "OSTEON_"
DELIMITER = "__"
CONFIG_VARIABLE = "OSTEON_CONFIG"


class Settings(BaseSettings):
    """All settings, read once and then passed on as plain arguments."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=DELIMITER,
        extra="forbid",
        frozen=True,
    )
    config_file: ClassVar[Path | None] = None
    """The TOML file that `load_settings` bound."""
    origins: ClassVar[Origins] = Origins()
    """Which layer gave each value, as `load_settings` found them."""

    data_dir: Path = Field(default=Path("data"), description="spool, results and the SQLite file")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="how much is logged; no level writes who a patient is"
    )
    node: NodeSettings = NodeSettings()
    store: StoreSettings = StoreSettings()
    queue: QueueSettings = QueueSettings()
    worker: WorkerSettings = WorkerSettings()
    models: ModelSettings = ModelSettings()
    reading: ReadingSection = ReadingSection()
    adc: AdcSection = AdcSection()
    normalisation: NormalisationSection = NormalisationSection()
    disease: DiseaseSettings = DiseaseSettings()
    follow_up: FollowUpSection = FollowUpSection()
    archive: ArchiveSection = ArchiveSection()
    results: ResultSettings = ResultSettings()
    report: ReportSettings = ReportSettings()
    api: ApiSettings = ApiSettings()
    access: AccessSection = AccessSection()
    audit: AuditSection = AuditSection()
    console: ConsoleSection = ConsoleSection()
    dicomweb: DicomWebSection = DicomWebSection()
    monitoring: MonitoringSettings = MonitoringSettings()
    webhooks: WebhookSection = WebhookSection()
    delivery: DeliverySection = DeliverySection()
    destinations: tuple[DestinationSettings, ...] = Field(
        default=(), description="C-STORE receivers of results: name, ae_title, host, port"
    )
    stow: tuple[StowSettings, ...] = Field(default=(), description="STOW-RS receivers: name, url")

    @property
    def spool_dir(self) -> Path:
        """Where received instances are."""
        return self.data_dir / "spool"

    @property
    def results_dir(self) -> Path:
        """Where results are, in a folder for each job."""
        return self.data_dir / "results"

    @property
    def store_url(self) -> str:
        """The database address with its password: never log it."""
        url = self.store.url or f"sqlite:///{(self.data_dir / 'osteon.sqlite').resolve()}"
        return with_password(url, self.store.password)

    @property
    def broker_url(self) -> str:
        """The address of Redis with its password: never log it."""
        return with_password(self.queue.broker_url, self.queue.password)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put flags first, then the environment, then the TOML file."""
        del env_settings, dotenv_settings, file_secret_settings
        toml = TomlConfigSettingsSource(settings_cls, toml_file=cls.config_file)
        return (init_settings, _Environment(settings_cls), toml)


class SettingsError(Exception):
    """The settings are not usable; the message names each key and what is wrong with it."""

    code = "SETTINGS"


class _Environment(EnvSettingsSource):
    """Variables with our prefix; `_FILE` variants are read, names that no setting has refused."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        found = {k: v for k, v in os.environ.items() if _is_ours(k)}
        found.pop(CONFIG_VARIABLE, None)
        return dict(self._read(name.upper(), value) for name, value in found.items())

    def _read(self, name: str, value: str) -> tuple[str, str]:
        """Return the lower-case variable and its value, from a file where the name says so."""
        path = name.removeprefix(PREFIX).lower().split(DELIMITER)
        if name.endswith("_FILE") and not _is_setting(self.settings_cls, path):
            value = _secret(name, value)
            name = name.removesuffix("_FILE")
        first = name.removeprefix(PREFIX).split(DELIMITER)[0].lower()
        if first not in self.settings_cls.model_fields:
            message = f"{name}: there is no setting of this name; `osteon config` lists them"
            raise SettingsError(message)
        return name.lower(), value


def _is_setting(model: type[BaseModel], path: list[str]) -> bool:
    """Tell whether a setting itself has this name, as `webhooks.ca_file`."""
    field = model.model_fields.get(path[0])
    if field is None or len(path) == 1:
        return field is not None
    kinds = (field.annotation, *get_args(field.annotation))
    sections = (kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))
    return any(_is_setting(section, path[1:]) for section in sections)


def _secret(name: str, path: str) -> str:
    """Return what a file holds, its last line end left out; a message never quotes the file."""
    try:
        secret = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        message = f"{name}: the file {path} cannot be read: {error.strerror}"
        raise SettingsError(message) from error
    except UnicodeDecodeError:
        message = f"{name}: the file {path} is not text in UTF-8"
        raise SettingsError(message) from None
    if not secret:
        message = f"{name}: the file {path} is empty"
        raise SettingsError(message)
    return secret


def load_settings(
    flags: Mapping[str, Any] | None = None, config_file: Path | None = None
) -> Settings:
    """Read the settings once.

    Args:
        flags: nested values from the command line; they win.
        config_file: a TOML file; `OSTEON_CONFIG`, else `osteon.toml` here if there is one.

    Raises:
        SettingsError: a key is unknown, a value is not allowed, or a named file is missing.

    """
    path = config_file or _named_config()
    if path is not None and not path.is_file():
        message = f"there is no settings file {path}"
        raise SettingsError(message)

    class Bound(Settings):
        config_file: ClassVar[Path | None] = path

    try:
        settings = Bound(**(flags or {}))
        Bound.origins = _origins(Bound, flags or {}, path)
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from error
    except ValueError as error:  # broken TOML, broken JSON in a variable
        message = f"the settings cannot be read: {error}"
        raise SettingsError(message) from error
    return settings


def _origins(bound: type[Settings], flags: Mapping[str, Any], path: Path | None) -> Origins:
    return Origins(
        flags=keys_of(flags),
        environment=keys_of(_Environment(bound)()),
        file=keys_of(TomlConfigSettingsSource(bound, toml_file=path)()),
        variables=frozenset(name.upper() for name in os.environ if _is_ours(name)),
        file_name=str(path or ""),
    )


def _is_ours(name: str) -> bool:
    return name.upper().startswith(PREFIX)


def _named_config() -> Path | None:
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    here = Path("osteon.toml")
    return here if here.is_file() else None


def _sentence(error: ValidationError) -> str:
    """One line for each wrong key; values are left out, they may be secret."""
    rows = (f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in error.errors())
    return "; ".join(rows)
