"""Records a program that sets its own marks: python3 run_program.py "CLIENT VERSION" COMMAND…"""

import subprocess
import sys

from recorder import recorder

record = recorder(sys.argv[1])
subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL)
print(sys.argv[1], record.finish(), file=sys.stderr)
