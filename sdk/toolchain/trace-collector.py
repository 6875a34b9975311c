"""A collector of traces for tests on a free port of this machine: OTLP over HTTP (protobuf). Prints its port, then each span that it is told as a
line of JSON. Ends with its standard input."""
import asyncio
import json
import socket
import sys

from google.protobuf.json_format import MessageToDict
from oteltap import OtelTapHttpProtobufReceiver, OtelTapHttpProtobufReceiverSettings


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def told(span):
    def value(attribute):
        return getattr(attribute.value, attribute.value.WhichOneof("value"))

    plain = MessageToDict(span, always_print_fields_with_no_presence=True)
    plain["traceId"], plain["spanId"] = span.trace_id.hex(), span.span_id.hex()
    plain["parentSpanId"] = span.parent_span_id.hex()
    plain["attributes"] = {attribute.key: value(attribute) for attribute in span.attributes}
    return json.dumps(plain)


async def main():
    port = int(sys.argv[1]) if len(sys.argv) > 1 else free_port()
    async with OtelTapHttpProtobufReceiver(OtelTapHttpProtobufReceiverSettings(http_port=port)) as receiver:
        spans = receiver.stream_traces()
        print(port, flush=True)

        async def show():
            async for span in spans:
                print(told(span), flush=True)

        shown = asyncio.create_task(show())
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        shown.cancel()


asyncio.run(main())
