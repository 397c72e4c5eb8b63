import cv2

from vidan_plugins.sources.opencv_log import quiet_opencv


def test_the_last_to_leave_restores_the_log_level():
    before = cv2.utils.logging.getLogLevel()
    with quiet_opencv():
        with quiet_opencv():
            assert cv2.utils.logging.getLogLevel() == cv2.utils.logging.LOG_LEVEL_SILENT
        assert cv2.utils.logging.getLogLevel() == cv2.utils.logging.LOG_LEVEL_SILENT
    assert cv2.utils.logging.getLogLevel() == before
