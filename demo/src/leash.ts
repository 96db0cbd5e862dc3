/*
 * Loaded by node before a program that the demo starts: whoever started it holds the other end of
 * its standard input, and when that is gone, however it went, the program is asked to stop. Unlike
 * a channel of messages, this outlives a program that puts itself in its own place, as agents do.
 */
process.stdin.once('end', () => process.kill(process.pid, 'SIGTERM')).resume();
// A program that has done its work ends, though its starter lives.
process.stdin.unref();
