package tourcms

import (
	"regexp"
	"strings"

	"bookhook/platforms"
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

// The defaults of settings.
const (
	defaultMarketplace = "0"
	defaultURL         = "https://api.tourcms.com"
)

// inlineAbout tells operators what an inline webhook gets and has to answer.
const inlineAbout = "A POST with five values in the address and the XML of the booking. It is signed with your TourCMS API key, " +
	"or with the secret of this webhook while no key is stored. Answer 200 to accept, with an empty body or with JSON (text, tickets).\n" +
	"TourCMS documents neither the content type nor which fields it signs; both are our reading."

// about is for operators: what to do, then what is good to know.
var connect = []string{
	"In TourCMS open Configuration › System & Setup › Booking Webhooks, choose “Create new booking webhook” and the asynchronous type.",
	"Enter this address as the URL, and choose all events, all channels and all tours: Bookhook does the filtering.",
	"Only if you use synchronous webhooks: enter the same address there once more, with the synchronous type. " +
		"Choose each event in one of the two only: one that is sent by both is delivered to your webhooks twice.",
}

var about = []string{
	"TourCMS calls an asynchronous webhook with a GET that names the event, the channel and the booking, but no tour. " +
		"With your API key Bookhook asks TourCMS for the tours of each booking, so that tour filters work, and can import your channels and tours.",
	"With the key it also checks the signature of synchronous (inline) calls; without one these are accepted unchecked.",
	"TourCMS sends no id with a notification: our reading is that the same one again within a minute is a repetition, and later a new event.",
}

// settings are what Bookhook needs to know to ask TourCMS.
func settings() []platforms.Setting {
	return []platforms.Setting{
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
			Key: settingURL, Label: "Address of the API", Target: true, Default: defaultURL, Check: checkAPI,
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

func checkKeys(text string) webhook.Message {
	fields := strings.Fields(text)
	seen := map[string]bool{}
	for _, field := range fields {
		pair := channelPair.FindStringSubmatch(field)
		switch {
		case !keyText.MatchString(field):
			return webhook.NewMessage("tourcms.key_characters")
		case pair == nil && len(fields) > 1:
			return webhook.NewMessage("tourcms.key_channels")
		case pair != nil && seen[pair[1]]:
			return webhook.NewMessage("tourcms.key_channel_twice", pair[1])
		case pair != nil:
			seen[pair[1]] = true
		}
	}
	return webhook.Message{}
}

func checkMarketplace(text string) webhook.Message {
	if text = strings.TrimSpace(text); text != "" && !number.MatchString(text) {
		return webhook.NewMessage("tourcms.marketplace")
	}
	return webhook.Message{}
}

func checkAPI(text string) webhook.Message {
	if strings.TrimSpace(text) == "" {
		return webhook.Message{}
	}
	text, problem := webhook.CheckURL(text)
	if problem.IsZero() && strings.Contains(text, "?") {
		return webhook.NewMessage("tourcms.api_query")
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
