"""An RTSP server of GStreamer's on loopback, which sends a file again to each who asks; run by the system's Python.

    python3 rtsp_server.py PORT FILE [h264|mjpeg]

Prints its port. Needs Debian's gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-good, gstreamer1.0-plugins-bad, and
python3-gi.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PAYLOADS = {
    "h264": "qtdemux ! h264parse config-interval=-1 ! rtph264pay",
    "mjpeg": "avidemux ! jpegparse ! rtpjpegpay",
}

Gst.init(None)
port, path, kind = [*sys.argv[1:], "h264"][:3]
server, factory = GstRtspServer.RTSPServer(), GstRtspServer.RTSPMediaFactory()
server.set_address("127.0.0.1")
server.set_service(port)
factory.set_launch(f'( filesrc location="{path}" ! {PAYLOADS[kind]} name=pay0 pt=96 )')
server.get_mount_points().add_factory("/cam", factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
