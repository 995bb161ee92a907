"""Members that are plugged in at the main process: whom the media processes have to tell what."""

from hub.media.mail import Connect, Disconnect, Ear, Gate, Home
from hub.media.placing import MAIN, Letter, Placing


def placed(*processes: int) -> Placing:
    placing = Placing()
    for process in processes:
        placing.add(process)
    return placing


def test_a_plug_makes_a_home_and_follows_it() -> None:
    placing = placed(1, 2)
    letters = placing.plug("main", "bridge")
    assert Letter(1, Home("main", 1, 1)) in letters
    assert Letter(MAIN, Home("main", 1, 1)) in letters
    assert placing.hears(MAIN, "main", "bridge", on=True) == [Letter(1, Ear("main", "bridge", 0))]
    # A second one needs no second word about the home.
    assert placing.plug("main", "other") == []


def test_a_home_that_is_there_is_told_to_a_first_plug() -> None:
    placing = placed(1)
    placing.connect("ann", "main")
    assert placing.plug("main", "bridge") == [Letter(MAIN, Home("main", 1, 1))]


def test_gates_of_a_plug_are_told_to_the_home_first_and_to_the_main_process() -> None:
    placing = placed(1)
    placing.plug("main", "bridge")
    gate = Gate("main", "bridge", True)
    assert placing.gate("main", "bridge", is_open=True) == [Letter(1, gate), Letter(MAIN, gate)]
    placing.unplug("bridge")
    # One that is plugged in anew while it talks goes on.
    assert placing.plug("main", "bridge") == [Letter(MAIN, gate)]
    placing.unplug("nobody")


def test_a_member_is_plugged_in_or_has_a_session_never_both() -> None:
    placing = placed(1)
    placing.connect("ann", "main")
    assert Letter(1, Disconnect("ann")) in placing.plug("main", "ann")
    assert placing.disconnect("ann") == []
    assert placing.where("ann") == MAIN
    placing.unplug("ann")
    assert placing.where("ann") is None


def test_a_home_that_dies_is_replaced_for_plugs_too() -> None:
    placing = placed(1, 2)
    placing.plug("main", "bridge")
    placing.hears(MAIN, "main", "bridge", on=True)
    loss = placing.remove(1)
    assert loss.members == ()
    assert Letter(MAIN, Home("main", 2, 2)) in loss.letters
    assert Letter(2, Ear("main", "bridge", MAIN)) in loss.letters


def test_with_no_process_a_plug_waits() -> None:
    placing = placed()
    assert placing.plug("main", "bridge") == []
    assert Letter(MAIN, Home("main", 1, 1)) in placing.add(1)
    assert not any(isinstance(letter.mail, Connect) for letter in placing.add(2))
