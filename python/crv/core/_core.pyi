"""What crv.core takes from the C++ core. Texts that break a rule raise crv.core.errors as each function says."""

TICK_BUCKET_SIZE: int
ROW_GROUP_SIZE: int
COMPRESSION: str

def is_lower_snake(text: str, /) -> bool: ...
def assert_lower_snake(text: str, what: str, /) -> None:
    """GrammarError naming `what` and the text."""

# The value itself, or GrammarError.
def action_kind_from_value(text: str, /) -> str: ...
def exchange_kind_from_value(text: str, /) -> str: ...
def edge_kind_from_value(text: str, /) -> str: ...

# The value in lower case, or GrammarError.
def normalize_visibility(text: str, /) -> str: ...
def normalize_channel_type(text: str, /) -> str: ...
def canonical_action_key(kind: str, texts: dict[str, str], /) -> str: ...
def parse_grammar(text: str, /) -> list[tuple[str, str, tuple[str, ...], tuple[str, ...]]]:
    """Name, expression, alternatives and leading terminals of each production, in order."""

def check_grammar(text: str, /) -> None:
    """GrammarError where the productions and the enums disagree."""

def normalize_text(model: str, field: str, text: str, /) -> str:
    """The text in the normal form of its field, or GrammarError."""

def check_needs(model: str, texts: dict[str, str], /) -> None:
    """SchemaError where a field that another one calls for holds no text."""

def normalize_model(model: str, json: str, /) -> str:
    """A model as JSON, read, checked and normalized by the C++ struct of that name; SchemaError or GrammarError."""

def canonical_json(json: str, /) -> str:
    """What crv.core.hashing.json_dumps_canonical writes, as C++ writes it; SchemaError."""

def make_run_id(prefix: str, /) -> str:
    """SchemaError where the prefix is not lower_snake."""

def schema_version() -> tuple[int, int, str]: ...
def check_version(major: int, minor: int, date: str, /) -> None:
    """BadVersionError."""

def is_compatible(major: int, minor: int, date: str, /) -> bool: ...
def is_successor_of(candidate: tuple[int, int, str], current: tuple[int, int, str], /) -> bool: ...
