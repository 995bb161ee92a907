"""What the test of a whole machine makes of the digits that it heard."""

import pytest

from tests.appliance.digits import understood


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("580131|580131", "580131"),
        ("8131|580131", "580131"),  # some of the first time was not understood
        ("580131|", "580131"),
        ("8131580131", "580131"),  # nor what stands between the two
        ("580131580131", "580131"),
        ("580131|580132", None),
        ("58013|58013", None),
        ("8131|", None),
        ("", None),
        ("1234561234", None),  # 123456, or 561234?
    ],
)
def test_one_time_is_whole_and_the_other_goes_with_it(said: str, code: str | None) -> None:
    assert understood(said) == code
