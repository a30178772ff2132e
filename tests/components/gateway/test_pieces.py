import pytest

from components.gateway.pieces import computed_header, header, seconds


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (600, "600s"),
        (1.5, "1.5s"),
        (0.1 + 0.2, "0.3s"),
        # Protobuf takes no exponent, and nine places.
        (1_234_567, "1234567s"),
        (100_000_000, "100000000s"),
        (1 / 3, "0.333333333s"),
        (1e-9, "0.000000001s"),
        (0, "0s"),
    ],
)
def test_a_duration_is_a_plain_decimal(value, text):
    assert seconds(value) == text


def test_a_value_is_sent_as_it_is_and_a_format_string_is_computed():
    # Envoy writes %% as %.
    assert header("authorization", "Bearer a%b")["header"]["value"] == "Bearer a%%b"
    assert computed_header("x-at", "%START_TIME%")["header"]["value"] == "%START_TIME%"
