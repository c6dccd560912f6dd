package tourcms

import "bookhook/messages"

// texts are the sentences of the platform's own messages; those that begin in
// lower case are the cause of another one.
var texts = messages.Texts{
	// Why a request was rejected.
	"tourcms.query_characters": "The query has characters that no URL can have, so it could not be passed on as it was received.",
	"tourcms.key_twice": "The query has the key %s more than once, so it is not clear which one counts. " +
		"Check whether the address in TourCMS was entered with a key of this name.",
	"tourcms.percent":        "The value of %s has a percent sign that is not followed by two hexadecimal digits.",
	"tourcms.value_not_utf8": "The value of %s is not valid UTF-8.",
	"tourcms.no_event": "The query names no event, as every notification of TourCMS does (event=…&account_id=…). " +
		"Check that the address in TourCMS is the one shown here, without a change.",
	"tourcms.event":         "TourCMS is not known to have an event “%s”.",
	"tourcms.value":         "The value of %s cannot be accepted. %s",
	"tourcms.contradiction": "The query has the %s “%s”, the XML “%s”.",
	"tourcms.xml_value":     "The %s of the XML cannot be accepted. %s",
	"tourcms.body":          "The body of the POST cannot be accepted: %s.",
	"tourcms.content_type":  "The body of the POST is of the type “%s”; TourCMS sends XML.",
	"tourcms.no_channel_key": "No API key is stored for the channel “%s”, so the signature of the XML cannot be checked. " +
		"Add the key of this channel to the settings.",

	// What is wrong with the XML or its signature.
	"tourcms.product_id":       "a product_id is no id (%s)",
	"tourcms.too_many_tours":   "the booking has more than %s tours",
	"tourcms.xml_encoding":     "the XML is in the encoding “%s”, which is not read here",
	"tourcms.xml_not_encoded":  "the XML is not in the encoding %s that it says",
	"tourcms.xml_empty":        "there is no XML",
	"tourcms.xml_not_utf8":     "the XML is not valid UTF-8",
	"tourcms.xml_no_root":      "the XML has no root element",
	"tourcms.xml_declaration":  "the XML has declarations (a DOCTYPE with more than a name, or <!…> elsewhere), which are not read",
	"tourcms.xml_text_outside": "the XML has text outside of its root element",
	"tourcms.xml_roots":        "the XML has more than one root element",
	"tourcms.xml_too_deep":     "the XML is nested deeper than %s levels",
	"tourcms.xml_too_large":    "the XML has more than %s elements, attributes and texts",
	"tourcms.xml_syntax":       "the XML cannot be read: %s",
	"tourcms.xml_syntax_at":    "the XML cannot be read: line %s: %s",
	"tourcms.unsigned": "the XML has no signature (no signed element in its root), but an API key is stored for TourCMS. " +
		"Check that TourCMS itself sent this; without a stored key, unsigned XML is accepted",
	"tourcms.signatures":             "the XML has more than one signature",
	"tourcms.algorithm":              "the XML is signed with the algorithm “%s”, which is not known here; known are MD5, SHA1, SHA256, SHA384 and SHA512",
	"tourcms.signature_elsewhere":    "the signature of the XML does not cover booking/booking_id, so it proves nothing about this booking",
	"tourcms.signature_wrong":        "the signature of the XML is wrong. Compare the API key stored here with the one in TourCMS",
	"tourcms.hash_fields_too_long":   "the hash_fields of the signature have more than %s bytes or %s paths",
	"tourcms.hash_fields_too_costly": "the hash_fields of the signature name so much of so large a document that it is not checked",
	"tourcms.path":                   "the signature of the XML is not right, and in its hash_fields “%s” is not XPath 1.0, or uses the namespace axis or id(), which are not read",

	// Why an inline call cannot be written.
	"tourcms.no_key":          "there is no key to sign with",
	"tourcms.nothing_to_sign": "the XML has no booking/booking_id, so there is nothing to sign",
	"tourcms.signed_already":  "the XML has a signed block; leave it out, Bookhook signs the document",
	"tourcms.another_booking": "the call has the %s “%s”, the XML “%s”",

	// What is wrong with a setting.
	"tourcms.key_characters":    "A key has letters, digits and signs only.",
	"tourcms.key_channels":      "Write the channel before each key, with no space around the =, as in 3930=KEY 3931=KEY.",
	"tourcms.key_channel_twice": "The channel %s is there twice.",
	"tourcms.marketplace":       "Enter a number; 0 for operators.",
	"tourcms.api_query":         "Remove the part of the address from ? on.",

	// Why TourCMS could not be asked, or did not answer.
	"tourcms.key_without_channel": "an operator's API key belongs to one channel: write the channel before it in the settings of TourCMS, such as 3930=KEY",
	"tourcms.no_such_channel":     "TourCMS has no channel “%s”: its channels are numbers",
	"tourcms.no_key_for_channel":  "no API key is stored for channel %s of TourCMS",
	"tourcms.answered_other":      "TourCMS answered with the booking “%s” when it was asked for “%s”",
	"tourcms.answered_unusable":   "TourCMS answered what cannot be used: %s",
	"tourcms.answered_error":      "TourCMS answered “%s” (status %s)",
	"tourcms.answered_status":     "TourCMS answered %s",
	"tourcms.answered_no_ok":      "TourCMS answered XML without the element error, which says OK when all is well",
}
