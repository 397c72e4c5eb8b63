"""An RTSP camera for tests, run by the system's Python, which has Debian's GStreamer.

    /usr/bin/python3 camera.py PORT [--size 320x240 --rate 25 --codec h264 ...]

Each image contains the time at which it was drawn: BITS black or white squares in a row for the
milliseconds of `time.monotonic()` modulo 2**BITS, highest bit first. Prints `ready` once it
accepts connections. Commands on standard input: `stall` stops sending images but keeps the
connections, `go` resumes, `size WxH` changes the resolution; the end of the input ends it.
"""

import argparse
import sys
import threading
import time

BITS = 24


def draw(now_ms, width, height):
    """An I420 image: gray, with the time code in the upper half."""
    luma = bytearray(bytes([90]) * (width * height))
    square = width // BITS
    row = bytearray(bytes([90]) * width)
    for bit in range(BITS):
        white = now_ms >> (BITS - 1 - bit) & 1
        row[bit * square : (bit + 1) * square] = bytes([235 if white else 16]) * square
    luma[: width * (height // 2)] = bytes(row) * (height // 2)
    # A moving block, so that consecutive images always differ.
    start = width * (height * 3 // 4) + now_ms // 10 % (width - 16)
    for line in range(8):
        luma[start + line * width : start + line * width + 16] = bytes([200]) * 16
    return bytes(luma) + bytes([128]) * (width * height // 2)


def main():
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    gi.require_version("GstRtsp", "1.0")
    from gi.repository import GLib, Gst, GstRtsp, GstRtspServer

    parser = argparse.ArgumentParser()
    parser.add_argument("port")
    parser.add_argument("--size", default="480x160")
    parser.add_argument("--rate", type=int, default=25)
    parser.add_argument("--codec", choices=("h264", "jpeg"), default="h264")
    parser.add_argument("--gop", type=int, default=25)
    parser.add_argument("--user", default="")
    parser.add_argument("--transports", choices=("tcp", "udp"), nargs="+", default=["tcp", "udp"])
    arguments = parser.parse_args()
    Gst.init(None)
    transports = GstRtsp.RTSPLowerTrans(0)
    for transport in arguments.transports:
        transports |= getattr(GstRtsp.RTSPLowerTrans, transport.upper())
    state = {
        "size": tuple(map(int, arguments.size.split("x"))),
        "stalled": False,
        "feeding": 0,  # number of the thread that feeds the current media
    }
    encoders = {
        "h264": "x264enc tune=zerolatency sliced-threads=false threads=1 speed-preset=ultrafast "
        f"key-int-max={arguments.gop} "
        "! video/x-h264,alignment=au,stream-format=byte-stream "
        "! rtph264pay name=pay0 pt=96 config-interval=-1",
        "jpeg": "jpegenc ! rtpjpegpay name=pay0 pt=26",
    }

    def caps():
        width, height = state["size"]
        return Gst.Caps.from_string(
            f"video/x-raw,format=I420,width={width},height={height},"
            f"framerate={arguments.rate}/1,pixel-aspect-ratio=1/1"
        )

    def feed(source, number):
        started, count = time.monotonic(), 0
        while state["feeding"] == number:
            due = started + count / arguments.rate
            time.sleep(max(0.0, due - time.monotonic()))
            count += 1
            if state["stalled"]:
                continue
            now = int(time.monotonic() * 1000) % 2**BITS
            if source.get_property("caps") is None or not source.get_property("caps").is_equal(
                caps()
            ):
                source.set_property("caps", caps())
            buffer = Gst.Buffer.new_wrapped(draw(now, *state["size"]))
            if source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                return

    class Factory(GstRtspServer.RTSPMediaFactory):
        def do_create_element(self, url):
            return Gst.parse_launch(
                "( appsrc name=source is-live=true do-timestamp=true format=time block=false "
                "max-buffers=4 leaky-type=downstream "
                f"! videoconvert ! video/x-raw,format=I420 ! {encoders[arguments.codec]} )"
            )

        def do_configure(self, media):
            media.set_protocols(transports)
            source = media.get_element().get_by_name_recurse_up("source")
            source.set_property("caps", caps())
            state["feeding"] += 1
            threading.Thread(target=feed, args=(source, state["feeding"]), daemon=True).start()

    server = GstRtspServer.RTSPServer()
    server.set_service(arguments.port)
    server.set_address("127.0.0.1")
    factory = Factory()
    factory.set_shared(True)
    factory.set_latency(0)
    factory.connect("media-configure", lambda _, media: Factory.do_configure(factory, media))
    server.get_mount_points().add_factory("/live", factory)
    if arguments.user:
        name, _, word = arguments.user.partition(":")
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "user")
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(name, word), token)
        server.set_auth(auth)
        factory.add_role_from_structure(
            Gst.Structure.new_from_string(
                "user,media.factory.access=(boolean)true,media.factory.construct=(boolean)true"
            )
        )
    if not server.attach(None):
        sys.exit(f"port {arguments.port} is taken")
    loop = GLib.MainLoop()

    def execute_commands():
        for line in sys.stdin:
            word, _, rest = line.strip().partition(" ")
            if word in ("stall", "go"):
                state["stalled"] = word == "stall"
            elif word == "size":
                state["size"] = tuple(map(int, rest.split("x")))
        loop.quit()

    threading.Thread(target=execute_commands, daemon=True).start()
    print("ready", flush=True)
    loop.run()


if __name__ == "__main__":
    main()
