// Package power cuts the power of the real binary, on paper: it records what the binary writes and flushes, and opens
// every state of its files that a power cut could have left. It holds tests only; Linux with strace only.
//
// A recording (record_test.go) is a run of the binary under strace, from outside: nothing in the program knows of it.
// In one trace, in one order, stand the writes, truncations, flushes and names of its files, and what it said and heard
// on its sockets: so it is known which answers had been given, and which deliveries made, at each moment (talk_test.go).
//
//	r := newRecording(t, "load")
//	r.start()            // the binary, with a checkpoint every few commits instead of every few thousand
//	load(r, …)           // accepts, delivers, retries, replays, deletes
//	r.kill9(); r.start() // as often as wanted: one trace
//	tape := r.tape()
//
// A disk (disk_test.go) replays the recording up to a moment. What was flushed is there. Of what was not, any part may
// be: none, all, some writes and not others, some sectors of a write and not others, a file longer than what was
// written to it, a name or none. The images are made from a seed.
//
// Each image is opened by the code that serve uses (image_test.go) and compared with what had been said by then:
//
//   - the file is sound, and opens without anybody's help;
//   - every event that was answered with 202 is there, with its deliveries, and so is everything else that was promised
//     in an answer: a replay, a webhook, the state of a delivery that was shown to somebody;
//   - every request to a receiver has its event, its delivery, and at least its attempt number;
//   - an attempt that the log shows got that answer from the receiver, and nothing is delivered that no receiver took;
//   - deliveries go on: what was in flight is due, nothing is held for nothing, and what is claimed can be delivered;
//   - a backup that has its name is whole: restored, it keeps what was promised before it began (backup_test.go).
//
// The controls must fail: the same images on a disk that ignores flushes, and on one that ignores a single one.
//
// "make e2e" makes some hundred images; "make power" makes many thousands and adds them up over runs (power_test.go).
package power
