package tourcms

import (
	"regexp"
	"strings"

	"bookhook/webhook"
)

// platform is the key of TourCMS.
const platform = "tourcms"

// The keys of the settings.
const (
	settingKey         = "api_key"
	settingMarketplace = "marketplace_id"
	settingURL         = "api_url"
)

// What holds while a setting is empty.
const (
	defaultMarketplace = "0"
	defaultURL         = "https://api.tourcms.com"
)

// InlineAbout tells operators what an inline webhook gets and has to answer.
const InlineAbout = "A POST with five values in the address and the XML of the booking. It is signed with your TourCMS API key, " +
	"or with the secret of this webhook while no key is stored. Answer 200 to accept, with an empty body or with JSON (text, tickets).\n" +
	"TourCMS documents neither the content type nor which fields it signs; both are our reading."

// About is for operators: what to do, then what is good to know.
const About = `In TourCMS open Configuration › System & Setup › Booking Webhooks, choose “Create new booking webhook”, ` +
	`the asynchronous type, and enter this address as the URL, with all events, all channels and all tours: Bookhook does the filtering. ` +
	`To be asked before bookings are confirmed, enter the same address there once more, with the synchronous type, ` +
	`and choose each event in one of the two only: of one that comes by both your webhooks are told twice.` + "\n" +
	`TourCMS calls an asynchronous webhook with a GET that names the event, the channel and the booking, but no tour. ` +
	`With your API key Bookhook asks TourCMS for the tours of each booking, so that tour filters work, can import your channels and tours, ` +
	`and checks the signature of synchronous (inline) calls; without a key these are taken unchecked. ` +
	`TourCMS sends no id with a notification: our reading is that the same one again within a minute is a repetition, and later a new event.`

// Settings are what Bookhook has to know to ask TourCMS.
func Settings() []webhook.Setting {
	return []webhook.Setting{
		{
			Key: settingKey, Label: "API key", Secret: true, Check: checkKeys,
			Hint: "From the API page of the TourCMS settings. Operators have one key for each channel: write the channel before it, " +
				"such as 3930=KEY, and set several apart by spaces. Marketplace agents have one key for all channels: write it alone. " +
				"It lets Bookhook ask for the tours of a booking, import channels and tours, and check the signature of synchronous calls.",
		},
		{
			Key: settingMarketplace, Label: "Marketplace ID", Default: defaultMarketplace, Check: checkMarketplace,
			Hint: "0 for operators. Marketplace agents find theirs beside the API key.",
		},
		{
			Key: settingURL, Label: "Address of the API", Default: defaultURL, Check: checkAPI,
			Hint: "Leave this as it is unless TourCMS told you another address.",
		},
	}
}

// channelKey is the API key of one channel.
type channelKey struct{ channel, key string }

var (
	number      = regexp.MustCompile(`^[0-9]{1,18}$`)
	keyText     = regexp.MustCompile(`^[!-~]+$`)
	channelPair = regexp.MustCompile(`^([0-9]{1,18})=([!-~]+)$`)
)

// keys reads the stored keys: one for everything, or one for each channel.
func keys(s webhook.Settings) (one string, each []channelKey) {
	for text := range strings.FieldsSeq(s[settingKey]) {
		if pair := channelPair.FindStringSubmatch(text); pair != nil {
			each = append(each, channelKey{pair[1], pair[2]})
		} else {
			one = text
		}
	}
	return one, each
}

func hasKey(s webhook.Settings) bool { return strings.TrimSpace(s[settingKey]) != "" }

// Key is the API key that goes with a channel: the channel's own, or the one for
// everything. A channel of "" has the only key that there is. It is "" when there
// is none.
func Key(s webhook.Settings, channel string) string {
	one, each := keys(s)
	for _, k := range each {
		if k.channel == channel || channel == "" && len(each) == 1 && one == "" {
			return k.key
		}
	}
	return one
}

func checkKeys(text string) string {
	fields := strings.Fields(text)
	seen := map[string]bool{}
	for _, field := range fields {
		pair := channelPair.FindStringSubmatch(field)
		switch {
		case !keyText.MatchString(field):
			return "A key has letters, digits and signs only."
		case pair == nil && len(fields) > 1:
			return "Write the channel before each key, with no space around the =, as in 3930=KEY 3931=KEY."
		case pair != nil && seen[pair[1]]:
			return "The channel " + pair[1] + " is there twice."
		case pair != nil:
			seen[pair[1]] = true
		}
	}
	return ""
}

func checkMarketplace(text string) string {
	if text = strings.TrimSpace(text); text != "" && !number.MatchString(text) {
		return "Write a number; 0 for operators."
	}
	return ""
}

func checkAPI(text string) string {
	if strings.TrimSpace(text) == "" {
		return ""
	}
	text, problem := webhook.CheckURL(text)
	if problem == "" && strings.Contains(text, "?") {
		problem = "Take the part from ? on out of the address."
	}
	return problem
}

// setting is the stored value, or the default.
func setting(s webhook.Settings, key, otherwise string) string {
	if value := strings.TrimSpace(s[key]); value != "" {
		return value
	}
	return otherwise
}
