package handlers_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"bookhook/handlers"
	"bookhook/messages"
	"bookhook/platforms"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

const platformsPage = "/settings/platforms"

// madeUp is TourCMS, and a platform that wants to know something.
func madeUp() platforms.Registry {
	tourcms, _ := all.Platforms().Get("tourcms")
	ferry := tourcms
	ferry.Key, ferry.Name, ferry.Connect, ferry.About = "ferry", "Ferryman", []string{"Enter it under Harbour › Bells."}, []string{"Ferryman rings once."}
	ferry.Events = []platforms.EventType{
		{Key: "crossing.booked", Group: "Crossings", Name: "Crossing booked", NameET: "Ülesõit broneeritud", Assumed: "Ferryman documents no other key."},
		{Key: "crossing.sunk", Group: "Crossings", Subgroup: "Mishaps", Name: "Crossing sunk", Retired: true},
	}
	ferry.Settings = []platforms.Setting{
		{Key: "pier", Label: "Pier", Hint: "Where you moor.", Default: "1", Check: func(value string) webhook.Message {
			if strings.Trim(value, "0123456789") != "" {
				return webhook.NewMessage("ferry.pier")
			}
			return webhook.Message{}
		}},
		{Key: "bell", Label: "Bell code", Secret: true},
		{Key: "flag", Label: "Flag"},
	}
	ferry.Texts = messages.Texts{"ferry.pier": "A pier is a number."}
	return platforms.Registry{tourcms, ferry}
}

// speaking is the same site for other platforms.
func (s *site) speaking(r platforms.Registry) *site {
	s.Helper()
	o := options(s.store.Store, s.dispatcher, s.Output())
	o.BaseURL, o.Platforms = "https://bookhook.example.com", r
	app, err := handlers.New(o)
	s.check(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	s.check(err)
	ended := make(chan error, 1)
	go func() { ended <- app.Listener(accepting(listener)) }()
	s.Cleanup(func() {
		s.note(app.Shutdown())
		s.note(<-ended)
	})
	other := *s
	other.app, other.url = app, "http://"+listener.Addr().String()
	return &other
}

func (s *site) connection(platform string) webhook.Connection {
	s.Helper()
	c, err := s.store.Connection(s.Context(), s.account.ID, platform)
	s.check(err)
	return c
}

func TestPlatformIsSwitched(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b, other := s.signIn(anna), s.signIn(staff)
	address := s.url + s.connection("tourcms").Path()
	b.get(platformsPage).is(http.StatusOK).has("TourCMS On, no call yet", "Wink Off", `href="/settings/platforms/wink"`, "Your booking platform sends its events to an address of Bookhook").lacks(address)
	b.get(platformsPage+"/tourcms").is(http.StatusOK).has("On, no call yet", "16 events to choose from", address)
	b.get(platformsPage+"/wink").is(http.StatusOK).has("Off", "129 events to choose from", "Switch Wink on to get its address.")
	b.get(platformsPage + "/nowhere").is(http.StatusNotFound)

	b.follow(platformsPage+"/wink/switch", url.Values{"enabled": {"1"}}).has("Wink is on. Enter its address in Wink", "On, no call yet", s.url+"/in/wink/")
	wink := s.connection("wink")
	s.check(s.store.ConnectionUsed(t.Context(), wink, "", time.Now().Add(-3*time.Minute)))
	b.follow(platformsPage+"/wink/switch", url.Values{"enabled": {"0"}}).
		has("Wink is off.", "Last call 3 min ago", s.url+wink.Path(), "While Wink is off, its events are kept but sent to no webhook.")
	b.get("/settings/activity").has("Switched off the platform Wink", "Switched on the platform Wink")

	for _, path := range []string{platformsPage, platformsPage + "/wink"} {
		other.get(path).is(http.StatusOK).has("Off", "Last call 3 min ago").lacks("/in/", wink.Token, "Switch")
	}
	b.post(platformsPage+"/wink/switch", url.Values{"enabled": {"1"}}).is(http.StatusSeeOther)
	b.get(platformsPage).has("Wink Connected Last call 3 min ago")
	b.post(platformsPage+"/wink/switch", url.Values{"enabled": {"maybe"}}).is(http.StatusUnprocessableEntity)
	b.post(platformsPage+"/nowhere/switch", url.Values{"enabled": {"1"}}).is(http.StatusNotFound)
	for _, action := range []string{"switch", "rotate", "settings"} { // of a platform that was never on
		b.post(platformsPage+"/ltd/"+action, url.Values{"enabled": {"0"}}).is(http.StatusNotFound)
	}
}

// A platform of which the last call was rejected is not simply connected.
func TestRejectedCallShows(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(staff)
	s.send("GET", s.connection("tourcms").Path()+"?event=no_such_event&account_id=1&booking_id=1", "").refused(http.StatusUnprocessableEntity)
	for _, path := range []string{platformsPage, platformsPage + "/tourcms", "/"} {
		b.get(path).has("Call rejected", `href="/settings/rejected"`).lacks("Connected")
	}
	s.send("GET", s.connection("tourcms").Path()+"?event=cancelled&account_id=4069&booking_id=1", "").taken()
	b.get(platformsPage).has("TourCMS Connected").lacks("Call rejected")
	b.get("/").lacks("Call rejected")
}

func TestAddressIsRotated(t *testing.T) {
	t.Parallel()
	s := newSite(t).speaking(madeUp())
	b := s.signIn(anna)
	first := s.connection("tourcms").Token
	const address = "https://bookhook.example.com/in/tourcms/"
	b.get(platformsPage + "/tourcms").has(address + first).lacks("The address before")
	replaced := url.Values{"replaced": {b.get(platformsPage + "/tourcms").find(`name="replaced" value="([^"]+)"`)}}
	b.follow(platformsPage+"/tourcms/rotate", replaced).has("TourCMS has a new address. Enter it there; the old one works until",
		address+s.connection("tourcms").Token, "The previous address, which ends in …"+first[len(first)-6:], "The previous address stops working at once.").
		lacks(first)
	if _, err := s.store.ConnectionByToken(t.Context(), "tourcms", first, time.Now()); err != nil {
		t.Errorf("the address before: %v", err)
	}
	second := s.connection("tourcms").Token
	b.follow(platformsPage+"/tourcms/rotate", replaced).has("TourCMS already had a new address after you opened the page, so no other one was created.", address+second)
	b.follow(platformsPage+"/tourcms/rotate", nil).has("so no other one was created.")
	if now := s.connection("tourcms").Token; now != second {
		t.Error("a double press replaced the address twice")
	}
	b.get("/settings/activity").has("Created a new address for the platform TourCMS")
}

func TestPlatformSettings(t *testing.T) {
	t.Parallel()
	s := newSite(t).speaking(madeUp())
	b := s.signIn(anna)
	b.follow(platformsPage+"/ferry/switch", url.Values{"enabled": {"1"}}).
		has("Enter it under Harbour › Bells.", "Good to know about Ferryman Ferryman rings once.", "Where you moor. Default: 1.", "Bell code").lacks("Remove the stored")
	save := func(pairs ...string) page {
		t.Helper()
		form := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			form.Add(pairs[i], pairs[i+1])
		}
		return b.post(platformsPage+"/ferry/settings", form)
	}
	stored := func(want webhook.Settings) {
		t.Helper()
		if got := s.connection("ferry").Settings; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("stored %v, want %v", got, want)
		}
	}
	save("pier", "seven", "bell", "ding dong", "flag", "blue <b>").is(http.StatusUnprocessableEntity).
		has("2 problems", "A pier is a number.", "Bell code is not shown again: enter it once more.", `value="seven"`, `value="blue <b>"`).
		lacks("ding dong")
	save("flag", strings.Repeat("ü", webhook.MaxSetting+1)).is(http.StatusUnprocessableEntity).has("Use at most 500 characters.")
	stored(nil)

	save("pier", " 7 ", "bell", "ding dong", "nonsense", "1").is(http.StatusSeeOther)
	stored(webhook.Settings{"pier": "7", "bell": "ding dong"})
	b.get(platformsPage+"/ferry").has("The settings for Ferryman were saved.", `value="7"`, "Stored; leave empty to keep it", "Remove the stored Bell code").lacks("ding dong")
	save("pier", "", "bell", "", "flag", "blue").is(http.StatusSeeOther)
	stored(webhook.Settings{"bell": "ding dong", "flag": "blue"})
	save("bell", "", "remove", "bell", "remove", "flag", "flag", "blue").is(http.StatusSeeOther)
	stored(webhook.Settings{"flag": "blue"})
	b.get("/settings/activity").has("Changed the settings of the platform Ferryman").lacks("ding dong")
	s.signIn(staff).get(platformsPage+"/ferry").lacks("Bell code", "Where you moor")
}

func (s *site) keepUnread(u webhook.RejectedRequest) {
	s.Helper()
	u.Account, u.Platform = s.account.ID, "prioticket"
	s.check(s.store.AddRejectedRequest(s.Context(), u, time.Now()))
}

func TestRejectedRequestsPage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	b.get("/settings/rejected").is(http.StatusOK).has("No rejected requests", "The newest 1,000 are kept for 7 days")
	for i := range 20 {
		s.keepUnread(webhook.RejectedRequest{Method: "GET", Query: fmt.Sprintf("n=%d&name=a%%20b", i), Status: 400, Why: webhook.NewMessage("json.empty")})
	}
	odd := webhook.RejectedRequest{
		Method: "POST", ContentType: "text/<plain>", Body: append([]byte{0, 0xff}, bytes.Repeat([]byte("x"), webhook.MaxRejectedBody)...),
		Status: http.StatusUnsupportedMediaType, Why: webhook.NewMessage("json.content_type", "<text>"),
	}
	s.keepUnread(odd)
	s.keepUnread(odd)
	newest := b.get("/settings/rejected").is(http.StatusOK)
	newest.has("21 requests", "The content type is “<text>”, but this platform sends JSON.", "Prioticket · answered 415 Unsupported Media Type · 2 times, last just now · first just now",
		"text/<plain>", "00 ff 78 78", "Bookhook keeps the first 64 KiB; there was more.", "n=1&name=a%20b").lacks("n=0&", "/in/")
	whole := newest.find(`href="(/settings/rejected\?id=[^"]*)"`)
	if len(newest.text) > 100_000 {
		t.Errorf("the list has %d bytes", len(newest.text))
	}
	if all := b.get(whole).is(http.StatusOK).has("Bookhook keeps the first 64 KiB; there was more.").lacks("View the whole", "n=1&"); len(all.text) < 3*webhook.MaxRejectedBody {
		t.Errorf("the whole has %d bytes", len(all.text))
	}
	s.signIn(others).get(whole).is(http.StatusNotFound)
	b.get("/settings/rejected?id=evt_0").is(http.StatusNotFound)
	older := b.get(newest.find(`href="(/settings/rejected\?before=[^"]*)"`)).is(http.StatusOK)
	older.has("n=0&name=a%20b", "21 requests", "Newest").lacks("n=1&", "Older")

	b.get(platformsPage).has("Rejected requests 21")
	s.signIn(staff).get("/settings/rejected").has("text/<plain>")
	s.signIn(others).get("/settings/rejected").has("No rejected requests")
	b.get("/settings/rejected?before=evt_0").is(http.StatusNotFound)

	until := url.Values{"until": {newest.find(`name="until" value="([0-9]+)"`)}}
	s.signIn(others).follow("/settings/rejected/delete", until)
	b.follow("/settings/rejected/delete", nil).has("21 requests")
	b.follow("/settings/rejected/delete", until).has("The rejected requests are deleted.", "No rejected requests")
}

func TestWizardShowsEventsOfPlatforms(t *testing.T) {
	t.Parallel()
	s := newSite(t).speaking(madeUp())
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepEvents)
	b.get(draft+"/events").has("TourCMS sends these only if its inline webhook is set to Bookhook.", "Other platforms: switch them on in Settings › Platforms",
		"2 of 6 chosen").lacks("Ferryman", "crossing.")

	b.post(platformsPage+"/ferry/switch", url.Values{"enabled": {"1"}}).is(http.StatusSeeOther)
	b.get(draft+"/events").has("TourCMS 16 events", "Ferryman 2 events", "Crossings 0 of 2 chosen", "Crossing booked Ülesõit broneeritud crossing.booked Assumed Ferryman documents no other key.",
		`lang="et">Ülesõit broneeritud`, "Mishaps", "Crossing sunk crossing.sunk Retired No longer in Ferryman’s catalogue.", `value="ferry:crossing.sunk"`).
		lacks("Other platforms:")
	b.post(draft+"/events", url.Values{"all_events": {"0"}, "events": {"cancelled", "ferry:crossing.sunk"}}).is(http.StatusSeeOther)
	b.post(platformsPage+"/ferry/switch", url.Values{"enabled": {"0"}}).is(http.StatusSeeOther)
	b.get(draft+"/events").has("Crossings 1 of 2 chosen", "Ferryman is switched off, so its events are sent to no webhook.")
}

// A webhook that is asked has only what it can be asked about.
func TestInlineDraftShowsInlineEvents(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := webhook.NewDraft([]string{"new_confirmed_web"})
	d.Account, d.Kind, d.Done = s.account.ID, webhook.Inline, []webhook.Step{webhook.StepType, webhook.StepName}
	d, err := s.store.SaveDraft(t.Context(), d, time.Now())
	s.check(err)
	s.signIn(anna).get("/drafts/"+webhook.DraftID(d.ID).String()+"/events").is(http.StatusOK).
		has("new_temporary_web", "New booking 1 of 6 chosen").lacks("redeem_voucher", "These come only", "Other platforms:")
}

// TestFiltersTellEventsApart: Wink has the same name for several of its events.
func TestFiltersTellEventsApart(t *testing.T) {
	t.Parallel()
	b := newSite(t).signIn(anna)
	for _, path := range []string{"/events", "/deliveries"} {
		b.get(path+"?type=wink:booking.create").has("Initialization requested (booking.initialize.request)",
			"Initialization requested (booking.contract.initialize.request)", "Booking created").lacks("(booking.create)")
	}
}

func TestFiltersOfferEventsOfPlatforms(t *testing.T) {
	t.Parallel()
	s := newSite(t).speaking(madeUp())
	b := s.signIn(anna)
	for _, path := range []string{"/events", "/deliveries"} {
		b.get(path).has(`value="cancelled"`).lacks("<optgroup", "crossing.sunk")
		b.get(path + "?type=ferry:crossing.sunk").is(http.StatusOK).has(`value="ferry:crossing.sunk" selected`)
	}
	b.post(platformsPage+"/ferry/switch", url.Values{"enabled": {"1"}}).is(http.StatusSeeOther)
	b.post(platformsPage+"/ferry/switch", url.Values{"enabled": {"0"}}).is(http.StatusSeeOther)
	for _, path := range []string{"/events", "/deliveries"} {
		b.get(path).has(`<optgroup label="TourCMS">`, `<optgroup label="Ferryman">`, `value="ferry:crossing.sunk"`)
	}
}

func TestEventSaysWhereItCameFrom(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, http.StatusOK)
	s := newSite(t)
	s.hook(r.URL)
	b := s.signIn(anna)
	sent := s.ingest(webhook.Event{BookingID: "1"})
	b.get("/events/" + sent.Event.ID.String()).has("TourCMS sent through the API").lacks("byte for byte")

	came := s.ingest(webhook.Event{BookingID: "2", Inbound: true, Wire: []byte("event=cancelled&x=%20"), Data: []byte(`{"query":{"event":"cancelled"}}`)})
	b.get("/events/"+came.Event.ID.String()).has("TourCMS sent by TourCMS", "Original request of TourCMS", "event=cancelled&x=%20")
	b.get("/deliveries/" + came.Decisions[0].Delivery.String()).has("TourCMS sent by TourCMS")

	off := s.ingest(webhook.Event{Platform: "wink", Type: "booking.create", Inbound: true})
	b.get("/events/"+off.Event.ID.String()).has("Wink sent by Wink",
		"The booking platform is switched off for this account. Settings › Platforms", `href="/settings/platforms/wink"`)
}

// TestAnotherAccountIsNamed: a call that names an account with another number is accepted,
// and the platform's card and page say so until one names the right one.
func TestAnotherAccountIsNamed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	call := func(account string) {
		s.send("GET", s.connection("tourcms").Path()+"?event=cancelled&account_id="+account+"&account_name=&channel_id=3930&booking_id=1"+account, "").taken()
	}
	call("1234")
	const warning = "The last call named account 1234; this account’s number is 4069."
	for _, path := range []string{platformsPage, platformsPage + "/tourcms"} {
		b.get(path).is(http.StatusOK).has(warning)
	}
	call("")
	call("4069")
	for _, path := range []string{platformsPage, platformsPage + "/tourcms"} {
		b.get(path).is(http.StatusOK).lacks("The last call named")
	}
}
