from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DTYPE_UNSPECIFIED: _ClassVar[DType]
    FLOAT32: _ClassVar[DType]
    FLOAT64: _ClassVar[DType]
    INT64: _ClassVar[DType]
    UINT8: _ClassVar[DType]
DTYPE_UNSPECIFIED: DType
FLOAT32: DType
FLOAT64: DType
INT64: DType
UINT8: DType

class Tensor(_message.Message):
    __slots__ = ("dtype", "shape", "earlier")
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    EARLIER_FIELD_NUMBER: _ClassVar[int]
    dtype: DType
    shape: _containers.RepeatedScalarFieldContainer[int]
    earlier: Earlier
    def __init__(self, dtype: _Optional[_Union[DType, str]] = ..., shape: _Optional[_Iterable[int]] = ..., earlier: _Optional[_Union[Earlier, _Mapping]] = ...) -> None: ...

class Earlier(_message.Message):
    __slots__ = ("number", "in_reply", "place")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    IN_REPLY_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    number: int
    in_reply: bool
    place: int
    def __init__(self, number: _Optional[int] = ..., in_reply: _Optional[bool] = ..., place: _Optional[int] = ...) -> None: ...

class Request(_message.Message):
    __slots__ = ("crc32c", "data", "tensors", "number", "received", "orders", "passes", "read", "activate", "pull_back", "save", "tell_ledger", "wait", "tell_reported")
    CRC32C_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    TENSORS_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    PASSES_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    ACTIVATE_FIELD_NUMBER: _ClassVar[int]
    PULL_BACK_FIELD_NUMBER: _ClassVar[int]
    SAVE_FIELD_NUMBER: _ClassVar[int]
    TELL_LEDGER_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    TELL_REPORTED_FIELD_NUMBER: _ClassVar[int]
    crc32c: int
    data: bytes
    tensors: _containers.RepeatedCompositeFieldContainer[Tensor]
    number: int
    received: int
    orders: _containers.RepeatedCompositeFieldContainer[Order]
    passes: Passes
    read: Read
    activate: Activate
    pull_back: PullBack
    save: Save
    tell_ledger: TellLedger
    wait: Wait
    tell_reported: TellReported
    def __init__(self, crc32c: _Optional[int] = ..., data: _Optional[bytes] = ..., tensors: _Optional[_Iterable[_Union[Tensor, _Mapping]]] = ..., number: _Optional[int] = ..., received: _Optional[int] = ..., orders: _Optional[_Iterable[_Union[Order, _Mapping]]] = ..., passes: _Optional[_Union[Passes, _Mapping]] = ..., read: _Optional[_Union[Read, _Mapping]] = ..., activate: _Optional[_Union[Activate, _Mapping]] = ..., pull_back: _Optional[_Union[PullBack, _Mapping]] = ..., save: _Optional[_Union[Save, _Mapping]] = ..., tell_ledger: _Optional[_Union[TellLedger, _Mapping]] = ..., wait: _Optional[_Union[Wait, _Mapping]] = ..., tell_reported: _Optional[_Union[TellReported, _Mapping]] = ...) -> None: ...

class Order(_message.Message):
    __slots__ = ("begin", "apply", "restore", "step_aside", "go_on")
    BEGIN_FIELD_NUMBER: _ClassVar[int]
    APPLY_FIELD_NUMBER: _ClassVar[int]
    RESTORE_FIELD_NUMBER: _ClassVar[int]
    STEP_ASIDE_FIELD_NUMBER: _ClassVar[int]
    GO_ON_FIELD_NUMBER: _ClassVar[int]
    begin: Begin
    apply: Apply
    restore: Restore
    step_aside: StepAside
    go_on: GoOn
    def __init__(self, begin: _Optional[_Union[Begin, _Mapping]] = ..., apply: _Optional[_Union[Apply, _Mapping]] = ..., restore: _Optional[_Union[Restore, _Mapping]] = ..., step_aside: _Optional[_Union[StepAside, _Mapping]] = ..., go_on: _Optional[_Union[GoOn, _Mapping]] = ...) -> None: ...

class Reply(_message.Message):
    __slots__ = ("crc32c", "data", "tensors", "number", "problem", "observations", "tensor", "saved", "ledger", "reported")
    CRC32C_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    TENSORS_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    TENSOR_FIELD_NUMBER: _ClassVar[int]
    SAVED_FIELD_NUMBER: _ClassVar[int]
    LEDGER_FIELD_NUMBER: _ClassVar[int]
    REPORTED_FIELD_NUMBER: _ClassVar[int]
    crc32c: int
    data: bytes
    tensors: _containers.RepeatedCompositeFieldContainer[Tensor]
    number: int
    problem: Problem
    observations: Observations
    tensor: int
    saved: Saved
    ledger: Counts
    reported: Reported
    def __init__(self, crc32c: _Optional[int] = ..., data: _Optional[bytes] = ..., tensors: _Optional[_Iterable[_Union[Tensor, _Mapping]]] = ..., number: _Optional[int] = ..., problem: _Optional[_Union[Problem, _Mapping]] = ..., observations: _Optional[_Union[Observations, _Mapping]] = ..., tensor: _Optional[int] = ..., saved: _Optional[_Union[Saved, _Mapping]] = ..., ledger: _Optional[_Union[Counts, _Mapping]] = ..., reported: _Optional[_Union[Reported, _Mapping]] = ...) -> None: ...

class Problem(_message.Message):
    __slots__ = ("kind", "message")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[Problem.Kind]
        INVALID: _ClassVar[Problem.Kind]
        NOT_CAPABLE: _ClassVar[Problem.Kind]
        NOT_FINITE: _ClassVar[Problem.Kind]
        UNREADABLE: _ClassVar[Problem.Kind]
        FAILED: _ClassVar[Problem.Kind]
        NO_STATE: _ClassVar[Problem.Kind]
    KIND_UNSPECIFIED: Problem.Kind
    INVALID: Problem.Kind
    NOT_CAPABLE: Problem.Kind
    NOT_FINITE: Problem.Kind
    UNREADABLE: Problem.Kind
    FAILED: Problem.Kind
    NO_STATE: Problem.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    kind: Problem.Kind
    message: str
    def __init__(self, kind: _Optional[_Union[Problem.Kind, str]] = ..., message: _Optional[str] = ...) -> None: ...

class Begin(_message.Message):
    __slots__ = ("seed",)
    SEED_FIELD_NUMBER: _ClassVar[int]
    seed: int
    def __init__(self, seed: _Optional[int] = ...) -> None: ...

class Passes(_message.Message):
    __slots__ = ("x", "perturbations", "samples", "read_inputs", "read_pre_activations", "streams")
    X_FIELD_NUMBER: _ClassVar[int]
    PERTURBATIONS_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    READ_INPUTS_FIELD_NUMBER: _ClassVar[int]
    READ_PRE_ACTIVATIONS_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    x: int
    perturbations: _containers.RepeatedCompositeFieldContainer[Perturbation]
    samples: _containers.RepeatedScalarFieldContainer[int]
    read_inputs: Numbers
    read_pre_activations: Numbers
    streams: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, x: _Optional[int] = ..., perturbations: _Optional[_Iterable[_Union[Perturbation, _Mapping]]] = ..., samples: _Optional[_Iterable[int]] = ..., read_inputs: _Optional[_Union[Numbers, _Mapping]] = ..., read_pre_activations: _Optional[_Union[Numbers, _Mapping]] = ..., streams: _Optional[_Iterable[int]] = ...) -> None: ...

class Numbers(_message.Message):
    __slots__ = ("numbers",)
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    numbers: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, numbers: _Optional[_Iterable[int]] = ...) -> None: ...

class Perturbation(_message.Message):
    __slots__ = ("given", "drawn")
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    DRAWN_FIELD_NUMBER: _ClassVar[int]
    given: _containers.RepeatedCompositeFieldContainer[SiteTensor]
    drawn: Drawn
    def __init__(self, given: _Optional[_Iterable[_Union[SiteTensor, _Mapping]]] = ..., drawn: _Optional[_Union[Drawn, _Mapping]] = ...) -> None: ...

class SiteTensor(_message.Message):
    __slots__ = ("site", "tensor")
    SITE_FIELD_NUMBER: _ClassVar[int]
    TENSOR_FIELD_NUMBER: _ClassVar[int]
    site: int
    tensor: int
    def __init__(self, site: _Optional[int] = ..., tensor: _Optional[int] = ...) -> None: ...

class Drawn(_message.Message):
    __slots__ = ("sites", "std", "stream")
    SITES_FIELD_NUMBER: _ClassVar[int]
    STD_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    sites: _containers.RepeatedScalarFieldContainer[int]
    std: float
    stream: int
    def __init__(self, sites: _Optional[_Iterable[int]] = ..., std: _Optional[float] = ..., stream: _Optional[int] = ...) -> None: ...

class Observations(_message.Message):
    __slots__ = ("observations", "streams")
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    observations: _containers.RepeatedCompositeFieldContainer[Observation]
    streams: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, observations: _Optional[_Iterable[_Union[Observation, _Mapping]]] = ..., streams: _Optional[_Iterable[int]] = ...) -> None: ...

class Observation(_message.Message):
    __slots__ = ("drives", "output")
    DRIVES_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    drives: _containers.RepeatedCompositeFieldContainer[DriveOf]
    output: int
    def __init__(self, drives: _Optional[_Iterable[_Union[DriveOf, _Mapping]]] = ..., output: _Optional[int] = ...) -> None: ...

class DriveOf(_message.Message):
    __slots__ = ("site", "occurrence", "input", "pre_activation")
    SITE_FIELD_NUMBER: _ClassVar[int]
    OCCURRENCE_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    PRE_ACTIVATION_FIELD_NUMBER: _ClassVar[int]
    site: int
    occurrence: int
    input: int
    pre_activation: int
    def __init__(self, site: _Optional[int] = ..., occurrence: _Optional[int] = ..., input: _Optional[int] = ..., pre_activation: _Optional[int] = ...) -> None: ...

class Apply(_message.Message):
    __slots__ = ("updates",)
    UPDATES_FIELD_NUMBER: _ClassVar[int]
    updates: _containers.RepeatedCompositeFieldContainer[Update]
    def __init__(self, updates: _Optional[_Iterable[_Union[Update, _Mapping]]] = ...) -> None: ...

class Update(_message.Message):
    __slots__ = ("site", "weight", "bias", "decorrelation", "mirror")
    SITE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    BIAS_FIELD_NUMBER: _ClassVar[int]
    DECORRELATION_FIELD_NUMBER: _ClassVar[int]
    MIRROR_FIELD_NUMBER: _ClassVar[int]
    site: int
    weight: Change
    bias: int
    decorrelation: Decorrelation
    mirror: Change
    def __init__(self, site: _Optional[int] = ..., weight: _Optional[_Union[Change, _Mapping]] = ..., bias: _Optional[int] = ..., decorrelation: _Optional[_Union[Decorrelation, _Mapping]] = ..., mirror: _Optional[_Union[Change, _Mapping]] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("outer", "dense")
    OUTER_FIELD_NUMBER: _ClassVar[int]
    DENSE_FIELD_NUMBER: _ClassVar[int]
    outer: Outer
    dense: int
    def __init__(self, outer: _Optional[_Union[Outer, _Mapping]] = ..., dense: _Optional[int] = ...) -> None: ...

class Outer(_message.Message):
    __slots__ = ("x", "d", "rate")
    X_FIELD_NUMBER: _ClassVar[int]
    D_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    x: int
    d: int
    rate: float
    def __init__(self, x: _Optional[int] = ..., d: _Optional[int] = ..., rate: _Optional[float] = ...) -> None: ...

class Decorrelation(_message.Message):
    __slots__ = ("x_star", "rate")
    X_STAR_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    x_star: int
    rate: float
    def __init__(self, x_star: _Optional[int] = ..., rate: _Optional[float] = ...) -> None: ...

class Read(_message.Message):
    __slots__ = ("matrix", "site", "y")
    class Matrix(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        MATRIX_UNSPECIFIED: _ClassVar[Read.Matrix]
        WEIGHTS_TRANSPOSED: _ClassVar[Read.Matrix]
        MIRROR: _ClassVar[Read.Matrix]
        MIRROR_TRANSPOSED: _ClassVar[Read.Matrix]
        DECORRELATION_TRANSPOSED: _ClassVar[Read.Matrix]
    MATRIX_UNSPECIFIED: Read.Matrix
    WEIGHTS_TRANSPOSED: Read.Matrix
    MIRROR: Read.Matrix
    MIRROR_TRANSPOSED: Read.Matrix
    DECORRELATION_TRANSPOSED: Read.Matrix
    MATRIX_FIELD_NUMBER: _ClassVar[int]
    SITE_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    matrix: Read.Matrix
    site: int
    y: int
    def __init__(self, matrix: _Optional[_Union[Read.Matrix, str]] = ..., site: _Optional[int] = ..., y: _Optional[int] = ...) -> None: ...

class Activate(_message.Message):
    __slots__ = ("site", "a")
    SITE_FIELD_NUMBER: _ClassVar[int]
    A_FIELD_NUMBER: _ClassVar[int]
    site: int
    a: int
    def __init__(self, site: _Optional[int] = ..., a: _Optional[int] = ...) -> None: ...

class PullBack(_message.Message):
    __slots__ = ("site", "a", "gradient", "slope")
    SITE_FIELD_NUMBER: _ClassVar[int]
    A_FIELD_NUMBER: _ClassVar[int]
    GRADIENT_FIELD_NUMBER: _ClassVar[int]
    SLOPE_FIELD_NUMBER: _ClassVar[int]
    site: int
    a: int
    gradient: int
    slope: int
    def __init__(self, site: _Optional[int] = ..., a: _Optional[int] = ..., gradient: _Optional[int] = ..., slope: _Optional[int] = ...) -> None: ...

class Save(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Saved(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: str
    def __init__(self, state: _Optional[str] = ...) -> None: ...

class Restore(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: str
    def __init__(self, state: _Optional[str] = ...) -> None: ...

class StepAside(_message.Message):
    __slots__ = ("purpose",)
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    purpose: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, purpose: _Optional[_Iterable[str]] = ...) -> None: ...

class GoOn(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class TellLedger(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Wait(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class TellReported(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Reported(_message.Message):
    __slots__ = ("figures",)
    class FiguresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    figures: _containers.ScalarMap[str, float]
    def __init__(self, figures: _Optional[_Mapping[str, float]] = ...) -> None: ...

class DescribeRequest(_message.Message):
    __slots__ = ("crc32c",)
    CRC32C_FIELD_NUMBER: _ClassVar[int]
    crc32c: int
    def __init__(self, crc32c: _Optional[int] = ...) -> None: ...

class Description(_message.Message):
    __slots__ = ("crc32c", "major", "minor", "boot", "title", "source", "parameters", "sites", "capabilities", "decorrelates", "mirrors", "draws", "saves", "steps_aside", "repeats", "max_message_bytes", "lease_seconds")
    CRC32C_FIELD_NUMBER: _ClassVar[int]
    MAJOR_FIELD_NUMBER: _ClassVar[int]
    MINOR_FIELD_NUMBER: _ClassVar[int]
    BOOT_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    SITES_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    DECORRELATES_FIELD_NUMBER: _ClassVar[int]
    MIRRORS_FIELD_NUMBER: _ClassVar[int]
    DRAWS_FIELD_NUMBER: _ClassVar[int]
    SAVES_FIELD_NUMBER: _ClassVar[int]
    STEPS_ASIDE_FIELD_NUMBER: _ClassVar[int]
    REPEATS_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    LEASE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    crc32c: int
    major: int
    minor: int
    boot: str
    title: str
    source: str
    parameters: _containers.RepeatedCompositeFieldContainer[Parameter]
    sites: _containers.RepeatedCompositeFieldContainer[Site]
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    decorrelates: bool
    mirrors: bool
    draws: bool
    saves: bool
    steps_aside: bool
    repeats: bool
    max_message_bytes: int
    lease_seconds: float
    def __init__(self, crc32c: _Optional[int] = ..., major: _Optional[int] = ..., minor: _Optional[int] = ..., boot: _Optional[str] = ..., title: _Optional[str] = ..., source: _Optional[str] = ..., parameters: _Optional[_Iterable[_Union[Parameter, _Mapping]]] = ..., sites: _Optional[_Iterable[_Union[Site, _Mapping]]] = ..., capabilities: _Optional[_Iterable[str]] = ..., decorrelates: _Optional[bool] = ..., mirrors: _Optional[bool] = ..., draws: _Optional[bool] = ..., saves: _Optional[bool] = ..., steps_aside: _Optional[bool] = ..., repeats: _Optional[bool] = ..., max_message_bytes: _Optional[int] = ..., lease_seconds: _Optional[float] = ...) -> None: ...

class Parameter(_message.Message):
    __slots__ = ("name", "value", "meaning")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    MEANING_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    meaning: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ..., meaning: _Optional[str] = ...) -> None: ...

class Site(_message.Message):
    __slots__ = ("n_out", "n_in", "positions", "drives")
    N_OUT_FIELD_NUMBER: _ClassVar[int]
    N_IN_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    DRIVES_FIELD_NUMBER: _ClassVar[int]
    n_out: int
    n_in: int
    positions: int
    drives: int
    def __init__(self, n_out: _Optional[int] = ..., n_in: _Optional[int] = ..., positions: _Optional[int] = ..., drives: _Optional[int] = ...) -> None: ...

class HealthRequest(_message.Message):
    __slots__ = ("crc32c",)
    CRC32C_FIELD_NUMBER: _ClassVar[int]
    crc32c: int
    def __init__(self, crc32c: _Optional[int] = ...) -> None: ...

class HealthReply(_message.Message):
    __slots__ = ("crc32c", "boot", "ready", "holder", "lease_seconds_left", "requests", "updates", "figures", "figures_seconds_ago", "lease_seconds", "up_seconds", "done", "bytes_received", "bytes_sent")
    class FiguresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    CRC32C_FIELD_NUMBER: _ClassVar[int]
    BOOT_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    LEASE_SECONDS_LEFT_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    UPDATES_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    FIGURES_SECONDS_AGO_FIELD_NUMBER: _ClassVar[int]
    LEASE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    UP_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    BYTES_RECEIVED_FIELD_NUMBER: _ClassVar[int]
    BYTES_SENT_FIELD_NUMBER: _ClassVar[int]
    crc32c: int
    boot: str
    ready: bool
    holder: str
    lease_seconds_left: float
    requests: int
    updates: int
    figures: _containers.ScalarMap[str, float]
    figures_seconds_ago: float
    lease_seconds: float
    up_seconds: float
    done: _containers.RepeatedCompositeFieldContainer[Done]
    bytes_received: int
    bytes_sent: int
    def __init__(self, crc32c: _Optional[int] = ..., boot: _Optional[str] = ..., ready: _Optional[bool] = ..., holder: _Optional[str] = ..., lease_seconds_left: _Optional[float] = ..., requests: _Optional[int] = ..., updates: _Optional[int] = ..., figures: _Optional[_Mapping[str, float]] = ..., figures_seconds_ago: _Optional[float] = ..., lease_seconds: _Optional[float] = ..., up_seconds: _Optional[float] = ..., done: _Optional[_Iterable[_Union[Done, _Mapping]]] = ..., bytes_received: _Optional[int] = ..., bytes_sent: _Optional[int] = ...) -> None: ...

class Done(_message.Message):
    __slots__ = ("what", "count", "refused", "seconds_p50", "seconds_p99", "seconds")
    WHAT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    SECONDS_P50_FIELD_NUMBER: _ClassVar[int]
    SECONDS_P99_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    what: str
    count: int
    refused: int
    seconds_p50: float
    seconds_p99: float
    seconds: float
    def __init__(self, what: _Optional[str] = ..., count: _Optional[int] = ..., refused: _Optional[int] = ..., seconds_p50: _Optional[float] = ..., seconds_p99: _Optional[float] = ..., seconds: _Optional[float] = ...) -> None: ...

class LeaseRequest(_message.Message):
    __slots__ = ("crc32c", "holder", "session", "keep")
    CRC32C_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    KEEP_FIELD_NUMBER: _ClassVar[int]
    crc32c: int
    holder: str
    session: str
    keep: bool
    def __init__(self, crc32c: _Optional[int] = ..., holder: _Optional[str] = ..., session: _Optional[str] = ..., keep: _Optional[bool] = ...) -> None: ...

class LeaseReply(_message.Message):
    __slots__ = ("crc32c", "session", "boot", "lease_seconds")
    CRC32C_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    BOOT_FIELD_NUMBER: _ClassVar[int]
    LEASE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    crc32c: int
    session: str
    boot: str
    lease_seconds: float
    def __init__(self, crc32c: _Optional[int] = ..., session: _Optional[str] = ..., boot: _Optional[str] = ..., lease_seconds: _Optional[float] = ...) -> None: ...

class ReleaseRequest(_message.Message):
    __slots__ = ("crc32c", "session")
    CRC32C_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    crc32c: int
    session: str
    def __init__(self, crc32c: _Optional[int] = ..., session: _Optional[str] = ...) -> None: ...

class ReleaseReply(_message.Message):
    __slots__ = ("crc32c",)
    CRC32C_FIELD_NUMBER: _ClassVar[int]
    crc32c: int
    def __init__(self, crc32c: _Optional[int] = ...) -> None: ...

class Counts(_message.Message):
    __slots__ = ("passes", "readout_conversions", "activation_words", "matrices", "trains", "trains_cut_short")
    PASSES_FIELD_NUMBER: _ClassVar[int]
    READOUT_CONVERSIONS_FIELD_NUMBER: _ClassVar[int]
    ACTIVATION_WORDS_FIELD_NUMBER: _ClassVar[int]
    MATRICES_FIELD_NUMBER: _ClassVar[int]
    TRAINS_FIELD_NUMBER: _ClassVar[int]
    TRAINS_CUT_SHORT_FIELD_NUMBER: _ClassVar[int]
    passes: float
    readout_conversions: float
    activation_words: float
    matrices: _containers.RepeatedCompositeFieldContainer[MatrixCounts]
    trains: int
    trains_cut_short: int
    def __init__(self, passes: _Optional[float] = ..., readout_conversions: _Optional[float] = ..., activation_words: _Optional[float] = ..., matrices: _Optional[_Iterable[_Union[MatrixCounts, _Mapping]]] = ..., trains: _Optional[int] = ..., trains_cut_short: _Optional[int] = ...) -> None: ...

class MatrixCounts(_message.Message):
    __slots__ = ("layer", "part", "held", "n_out", "n_in", "arrays", "reads", "transposed_reads", "dac_conversions", "adc_conversions", "array_rows", "cells_per_weight", "programmings", "trains", "trains_cut_short", "slots", "pulses", "worst_cell_pulses", "pulses_are", "multiplications", "words")
    LAYER_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    N_OUT_FIELD_NUMBER: _ClassVar[int]
    N_IN_FIELD_NUMBER: _ClassVar[int]
    ARRAYS_FIELD_NUMBER: _ClassVar[int]
    READS_FIELD_NUMBER: _ClassVar[int]
    TRANSPOSED_READS_FIELD_NUMBER: _ClassVar[int]
    DAC_CONVERSIONS_FIELD_NUMBER: _ClassVar[int]
    ADC_CONVERSIONS_FIELD_NUMBER: _ClassVar[int]
    ARRAY_ROWS_FIELD_NUMBER: _ClassVar[int]
    CELLS_PER_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    PROGRAMMINGS_FIELD_NUMBER: _ClassVar[int]
    TRAINS_FIELD_NUMBER: _ClassVar[int]
    TRAINS_CUT_SHORT_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    PULSES_FIELD_NUMBER: _ClassVar[int]
    WORST_CELL_PULSES_FIELD_NUMBER: _ClassVar[int]
    PULSES_ARE_FIELD_NUMBER: _ClassVar[int]
    MULTIPLICATIONS_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    layer: int
    part: str
    held: str
    n_out: int
    n_in: int
    arrays: int
    reads: float
    transposed_reads: float
    dac_conversions: float
    adc_conversions: float
    array_rows: int
    cells_per_weight: int
    programmings: float
    trains: float
    trains_cut_short: float
    slots: float
    pulses: float
    worst_cell_pulses: float
    pulses_are: str
    multiplications: float
    words: float
    def __init__(self, layer: _Optional[int] = ..., part: _Optional[str] = ..., held: _Optional[str] = ..., n_out: _Optional[int] = ..., n_in: _Optional[int] = ..., arrays: _Optional[int] = ..., reads: _Optional[float] = ..., transposed_reads: _Optional[float] = ..., dac_conversions: _Optional[float] = ..., adc_conversions: _Optional[float] = ..., array_rows: _Optional[int] = ..., cells_per_weight: _Optional[int] = ..., programmings: _Optional[float] = ..., trains: _Optional[float] = ..., trains_cut_short: _Optional[float] = ..., slots: _Optional[float] = ..., pulses: _Optional[float] = ..., worst_cell_pulses: _Optional[float] = ..., pulses_are: _Optional[str] = ..., multiplications: _Optional[float] = ..., words: _Optional[float] = ...) -> None: ...
