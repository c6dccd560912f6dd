package tourcms

import (
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // HMAC-MD5 is what a platform may have chosen; nobody forges it without the key
	"crypto/sha1" //nolint:gosec // the same
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"slices"
	"strings"

	"bookhook/platforms/tourcms/xpath"
	"bookhook/webhook"
)

// Bounds of the paths in a signature, which whoever calls chooses freely before
// anything is proven.
const (
	maxPaths      = 1000      // in hash_fields
	maxHashFields = 64 << 10  // bytes
	maxEffort     = 1_000_000 // of all paths of a document; see package xpath
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
	fields := signed.value("hash_fields")
	paths := strings.Split(fields, " ")
	if len(fields) > maxHashFields || len(paths) > maxPaths {
		return webhook.NewMessage("tourcms.hash_fields_too_long", maxHashFields, maxPaths)
	}
	mac := hmac.New(algorithm, []byte(key))
	covered, refused, err := writeValues(mac, root, paths, root.child("booking").child("booking_id"))
	if err != nil {
		return err
	}
	sent, err := hex.DecodeString(signed.value("hash"))
	right := err == nil && hmac.Equal(sent, mac.Sum(nil))
	switch {
	case covered && right:
		return nil
	case refused != "": // which may well be why
		return webhook.NewMessage("tourcms.path", quote(refused))
	case !covered:
		return webhook.NewMessage("tourcms.signature_elsewhere")
	}
	return webhook.NewMessage("tourcms.signature_wrong")
}

// find evaluates a path with the root as the context. A path that finds a text or
// a number finds no nodes.
func (e *element) find(path string, f *xpath.Effort) ([]*xpath.Node, error) {
	compiled, err := xpath.Compile(path)
	if err != nil {
		return nil, err
	}
	v, err := compiled.Eval((*xpath.Node)(e), f)
	found, _ := v.([]*xpath.Node)
	return found, err
}

// writeValues writes what the paths find, joined by "|". It reports whether the
// element must, which may not be empty, was among it, and a path that is no XPath:
// as in PHP, where such a path is a warning, it adds nothing.
func writeValues(w hash.Hash, root *element, paths []string, must *element) (covered bool, refused string, err error) {
	f := xpath.NewEffort(maxEffort)
	between := ""
	for _, path := range paths {
		found, err := root.find(path, f)
		switch {
		case errors.Is(err, xpath.ErrUnsupported):
			return false, "", webhook.NewMessage("tourcms.path", quote(path))
		case err != nil:
			refused = path
		}
		for _, n := range found {
			of, value, ok := cast(n, f)
			if !f.SpendText(len(value)) {
				break
			}
			if ok {
				w.Write([]byte(between))
				w.Write([]byte(value))
				between = "|"
				covered = covered || of == must && strings.TrimSpace(value) != ""
			}
		}
		if !f.Spend(0) {
			return false, "", webhook.NewMessage("tourcms.hash_fields_too_costly")
		}
	}
	return covered, refused, nil
}

// cast is what SimpleXML makes of a node that a path found, tried with PHP 8.2.36
// and libxml2 2.9.14: a text is the element that it is in, and sections of CDATA
// and the document itself are left out. Without effort there is no value.
func cast(n *xpath.Node, f *xpath.Effort) (of *element, value string, ok bool) {
	switch n.Kind {
	case xpath.Element, xpath.Text:
		of = (*element)(n)
		if n.Kind == xpath.Text {
			of = (*element)(n.Parent)
		}
		if f.Spend(len(of.Children)) {
			value = of.text()
		}
		return of, value, true
	case xpath.Attribute, xpath.Comment, xpath.Instruction:
		return nil, n.Data, true
	}
	return nil, "", false
}

// quote returns a text of the request so that a message can contain it.
func quote(text string) string { return webhook.Quote(text, 60) }
