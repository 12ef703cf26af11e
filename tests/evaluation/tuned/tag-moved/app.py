import argparse
import signal

parser = argparse.ArgumentParser(prog="serve")
parser.add_argument("--processes", type=int, default=1)
print("serving with", parser.parse_args().processes, flush=True)
signal.pause()
