package tourcms

import (
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // HMAC-MD5 is what a platform may have chosen; nobody forges it without the key
	"crypto/sha1" //nolint:gosec // the same
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// algorithms are the hash functions by the names that PHP's hash_hmac and the
// vendor's wrappers give them, in lower case.
var algorithms = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
}

// errUnsigned is a document that could be from anybody.
var errUnsigned = errors.New("the XML has no signature (no signed element in its root), but an API key is stored for TourCMS. " +
	"Check that TourCMS itself sent this; without a stored key, unsigned XML is taken")

// verify checks the signed block of a document with the key, as the official PHP
// wrapper does, and beyond it that the signature covers the booking's id: the
// list of what is signed is not signed itself, so that a signature of nothing,
// or of something else, would pass there. Its errors are for people.
func verify(root *element, key string) error {
	signed := root.child("signed")
	if signed == nil {
		return errUnsigned
	}
	if len(slices.Collect(root.named("signed"))) > 1 {
		return errors.New("the XML has more than one signature")
	}
	algorithm, known := algorithms[strings.ToLower(signed.value("algorithm"))]
	if !known {
		return fmt.Errorf("the XML is signed with the algorithm %q, which is not known here; known are MD5, SHA1, SHA256, SHA384 and SHA512",
			shorten(signed.value("algorithm")))
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
		return errors.New("the signature of the XML does not cover booking/booking_id, so it proves nothing about this booking")
	}
	sent, err := hex.DecodeString(signed.value("hash"))
	if err != nil || !hmac.Equal(sent, mac.Sum(nil)) {
		return errors.New("the signature of the XML is wrong. Compare the API key stored here with the one in TourCMS")
	}
	return nil
}

// hashFields reads the paths that say what is signed.
func hashFields(signed *element) ([]path, error) {
	text := signed.value("hash_fields")
	texts := strings.Split(text, " ")
	if len(text) > maxHashFields || len(texts) > maxPaths {
		return nil, fmt.Errorf("the hash_fields of the signature have more than %d characters or %d paths", maxHashFields, maxPaths)
	}
	var paths []path
	for _, t := range texts {
		if t == "" { // two spaces: an empty expression finds nothing
			continue
		}
		p, err := parsePath(t)
		if err != nil {
			return nil, fmt.Errorf("the hash_fields of the signature: %w", err)
		}
		paths = append(paths, p)
	}
	return paths, nil
}

// errEffort is a signature that is too dear to check.
var errEffort = errors.New("the hash_fields of the signature name so much of so large a document that it is not checked")

// writeValues writes what the paths find, joined by "|", and reports whether the
// element must, which may not be empty, was among it.
func writeValues(w hash.Hash, root *element, paths []path, must *element) (covered bool, err error) {
	f := effort{maxLooks}
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

// shorten keeps a text that somebody sent short enough for a message.
func shorten(text string) string {
	const most = 60
	runes := []rune(text)
	if len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
