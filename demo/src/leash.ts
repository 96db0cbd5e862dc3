/*
 * Loaded by node before a program that the demo starts: whoever started it holds the other end of a
 * channel, and when that is gone, however it went, the program is asked to stop.
 */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// A program that has done its work ends, though the channel stands.
process.channel?.unref();
