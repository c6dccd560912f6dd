package messages

// failures are why an attempt failed, and what checking a URL found.
var failures = Texts{
	"inline.cut_off": "Bookhook stopped during the call, so the answer is not known. The booking counts as refused.",
}
