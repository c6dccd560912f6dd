package messages

// failures are why an attempt failed, and what checking a URL found.
var failures = Texts{
	"inline.content_type": "it has the content type “%s”",
	"inline.too_long":     "it is longer than %s KiB",
	"inline.not_json":     "it is not valid JSON",
	"inline.no_object":    "it is not a JSON object",
	"inline.cut_off":      "Bookhook stopped during the call, so the answer is not known. The booking counts as refused.",
}
