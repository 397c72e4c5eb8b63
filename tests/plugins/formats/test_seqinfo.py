"""MOTChallenge's seqinfo.ini."""

import pytest

from vidan.errors import SourceError
from vidan_plugins.formats.seqinfo import read_seqinfo, sequence_facts


def test_seqinfo(tmp_path):
    path = tmp_path / "seqinfo.ini"
    assert read_seqinfo(path) == {}
    path.write_text("[Sequence]\nimDir=images\nframeRate=25\n")
    assert read_seqinfo(path) == {"imdir": "images", "framerate": "25"}
    path.write_text("no section\n")
    with pytest.raises(SourceError, match=r"seqinfo\.ini.*: repair or remove it"):
        read_seqinfo(path)


def test_the_facts_of_a_sequence(tmp_path):
    path = tmp_path / "seqinfo.ini"
    assert sequence_facts(path, {}) == (None, None, None)
    info = {"framerate": "12.5", "imwidth": "640", "imheight": "480", "seqlength": "7"}
    assert sequence_facts(path, info) == (12.5, (640, 480), 7)
    assert sequence_facts(path, {"framerate": "none"}, rate=25.0).rate == 25
    with pytest.raises(SourceError, match=r"\.ini: imwidth='wide': expected a number above 0"):
        sequence_facts(path, info | {"imwidth": "wide"})
