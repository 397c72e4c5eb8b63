"""The words of the glossary are used throughout, and the others nowhere."""

from tests import language


def test_no_banned_word_in_the_repository():
    found = language.all_uses()
    assert not found, "\n".join(map(str, found))


def words(text):
    return [(use.line, use.word) for use in language.uses("a.py", text, language.pattern())]


def test_identifiers_are_split_into_words():
    assert words("MAX_PICTURE = 1\nclass RGBPicture:\n    def pictureSize(self): ...") == [
        (1, "picture"),
        (2, "picture"),
        (3, "picture"),
    ]
    assert words("lookup = overlooked") == []


def test_phrases_are_found_across_lines_and_in_comments_and_strings():
    assert words("# runs so\n# many times") == [(1, "so many")]
    assert words('f"{n}: so many"') == [(1, "so many")]


def test_names_of_other_libraries_are_allowed():
    assert words("av.video.frame.PictureType.NONE") == []


def test_paths_are_checked():
    assert [use.line for use in language.uses("scene/look.py", "", language.pattern())] == [0]
