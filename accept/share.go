package accept

// Files of the process that are for connections of neither kind.
const reserved = 64 // the database, the log, standard streams, certificates

// Limits however many files there are.
const (
	maxInbound = 10_000 // each takes some 10 KB
	minInbound = 8
)

// MaxFiles is what Share makes use of; more change nothing.
const MaxFiles = 1 << 16

// Share divides the files that the process may open: inbound is how many connections
// to accept; most of the rest is for connections to receivers and platforms, whose
// names are resolved with files, too.
func Share(files int) (inbound, outbound int) {
	inbound = min(max((files-reserved)/2, minInbound), maxInbound)
	return inbound, max((files-reserved-inbound)*3/4, minInbound)
}
