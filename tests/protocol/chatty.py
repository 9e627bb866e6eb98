"""A service that tells of something before it answers."""

import sys

from tunerstudio.protocol.service import Notice, Reply, from_line, to_line

if __name__ == "__main__":
    for line in sys.stdin.buffer:
        request = from_line(line)
        sys.stdout.buffer.write(to_line(Notice(name="early", data={"method": request.method})))
        sys.stdout.buffer.write(to_line(Reply(id=request.id, result={"done": True})))
        sys.stdout.buffer.flush()
        if request.method == "end":
            break
