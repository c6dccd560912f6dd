package tourcms

import (
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // HMAC-MD5 is what a platform may have chosen; nobody forges it without the key
	"crypto/sha1" //nolint:gosec // the same
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"slices"
	"strings"

	"bookhook/webhook"
)

// algorithms are the hash functions by the names that PHP's hash_hmac and the
// vendor's wrappers give them, in lower case.
var algorithms = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
}

// errUnsigned says that a document has no signature.
var errUnsigned = webhook.NewMessage("tourcms.unsigned")

// verify checks the signed block of a document with the key, as the official PHP
// wrapper does, and beyond it that the signature covers the booking's id: the
// list of what is signed is not signed itself, so that a signature of nothing,
// or of something else, would pass there. Its errors are messages.
func verify(root *element, key string) error {
	signed := root.child("signed")
	if signed == nil {
		return errUnsigned
	}
	if len(slices.Collect(root.named("signed"))) > 1 {
		return webhook.NewMessage("tourcms.signatures")
	}
	algorithm, known := algorithms[strings.ToLower(signed.value("algorithm"))]
	if !known {
		return webhook.NewMessage("tourcms.algorithm", quote(signed.value("algorithm")))
	}
	paths, err := hashFields(signed)
	if err != nil {
		return err
	}
	booking := root.child("booking").child("booking_id")
	mac := hmac.New(algorithm, []byte(key))
	covered, err := writeValues(mac, root, paths, booking)
	if err != nil {
		return err
	}
	if !covered {
		return webhook.NewMessage("tourcms.signature_elsewhere")
	}
	sent, err := hex.DecodeString(signed.value("hash"))
	if err != nil || !hmac.Equal(sent, mac.Sum(nil)) {
		return webhook.NewMessage("tourcms.signature_wrong")
	}
	return nil
}

// hashFields reads the paths that say what is signed.
func hashFields(signed *element) ([]path, error) {
	text := signed.value("hash_fields")
	texts := strings.Split(text, " ")
	if len(text) > maxHashFields || len(texts) > maxPaths {
		return nil, webhook.NewMessage("tourcms.hash_fields_too_long", maxHashFields, maxPaths)
	}
	var paths []path
	for _, t := range texts {
		if t == "" { // two spaces: an empty expression finds nothing
			continue
		}
		p, err := parsePath(t)
		if err != nil {
			return nil, err
		}
		paths = append(paths, p)
	}
	return paths, nil
}

// errEffort is a signature that is too costly to check.
var errEffort = webhook.NewMessage("tourcms.hash_fields_too_costly")

// writeValues writes what the paths find, joined by "|", and reports whether the
// element must, which may not be empty, was among it.
func writeValues(w hash.Hash, root *element, paths []path, must *element) (covered bool, err error) {
	f := effort{maxVisits}
	between := ""
	for _, p := range paths {
		for _, s := range p.find(root, &f) {
			w.Write([]byte(between))
			w.Write(s.value())
			between = "|"
			covered = covered || s.attribute < 0 && s.element == must && len(must.text) > 0
		}
		if f.left < 0 {
			return false, errEffort
		}
	}
	return covered, nil
}

// quote returns a text of the request so that a message can contain it.
func quote(text string) string { return webhook.Quote(text, 60) }
