package handlers_test

import (
	"crypto/rand"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"bookhook/auth"
	"bookhook/mail/smtptest"
	"bookhook/reconcile"
	"bookhook/static"
	"bookhook/webhook"
)

// guard says whom a route lets through.
type guard int

const (
	anybody     guard = iota
	signedIn          // whoever signed in
	admins            // of the instance
	members           // whoever belongs to an account
	operators         // who may change the account
	configurers       // operators, and admins without an account
	program           // who has an API token, not a session
	portal            // who has an access token of the Prioticket-compatible API
)

// route is one address with what its handler answers to those who may use it.
type route struct {
	guard guard
	ok    int    // a status, toLogin or toAccounts
	body  string // a form or JSON; {…} is replaced by an id, as in a path
}

// routes has every route of Bookhook; {whk} and the like become ids of things
// that were made for each request. Those of Prioticket's API are there once in each
// version.
var routes = inVersions(map[string]route{
	"GET /healthz":          {anybody, 200, ""},
	"GET /readyz":           {anybody, 200, ""},
	"GET /static/{static}":  {anybody, 200, ""},
	"GET /setup":            {anybody, 409, ""},
	"POST /setup":           {anybody, 409, ""},
	"GET /login":            {anybody, 200, ""},
	"POST /login":           {anybody, 422, "email=nobody@example.com"},
	"POST /logout":          {anybody, toLogin, ""},
	"POST /settings/theme":  {anybody, 303, "theme=dark"},
	"GET /api/openapi.json": {anybody, 200, ""},

	"GET /in/{platform}/{address}":  {anybody, 404, ""},
	"POST /in/{platform}/{address}": {anybody, 404, ""},

	"GET /password/forgot":  {anybody, 200, ""},
	"POST /password/forgot": {anybody, 303, "email=anna@example.com"},
	"GET /password/new":     {anybody, 404, ""},
	"POST /password/new":    {anybody, 404, "token=guess&password=a+boat+on+the+river"},
	"GET /invitation":       {anybody, 404, ""},
	"POST /invitation":      {anybody, 404, "token=guess&password=a+boat+on+the+river"},

	"GET /notices/stop":             {anybody, 404, ""},
	"POST /notices/stop":            {anybody, 404, ""},
	"GET /fallback/confirm":         {anybody, 404, ""},
	"POST /fallback/confirm":        {anybody, 404, "token=guess"},
	"GET /fallback/stop":            {anybody, 404, ""},
	"POST /fallback/stop":           {anybody, 404, ""},
	"GET /settings/notices":         {signedIn, 200, ""},
	"POST /settings/notices":        {signedIn, 303, "mail=1&kind=outage"},
	"POST /settings/notices/limits": {operators, 303, "after=60&waiting=50"},

	"GET /settings/mail":                        {configurers, 200, ""},
	"POST /settings/mail/test":                  {admins, 303, ""},
	"POST /settings/invitations/{inv}/send":     {operators, 303, ""},
	"POST /settings/invitations/{inv}/withdraw": {operators, 303, ""},

	"GET /":                   {members, 200, ""},
	"GET /settings":           {signedIn, 200, ""},
	"POST /settings/password": {signedIn, 422, ""},
	"POST /settings/sign-out": {signedIn, toLogin, ""},

	"GET /admin":                       {admins, 200, ""},
	"GET /admin/accounts":              {admins, 200, ""},
	"GET /admin/stats":                 {admins, 200, ""},
	"POST /admin/accounts":             {admins, toAccounts, "name=New"},
	"POST /admin/accounts/{acc}/limit": {admins, toAccounts, "limit=10"},
	"POST /admin/accounts/{acc}/users": {admins, 201, "role=staff&email={email}"},

	"GET /live":                      {members, 200, ""},
	"GET /webhooks":                  {members, 200, ""},
	"GET /webhooks/{whk}":            {members, 200, ""},
	"GET /webhooks/{whk}/deliveries": {members, 200, ""},
	"GET /webhooks/{whk}/settings":   {members, 200, ""},
	"GET /webhooks/{whk}/signing":    {members, 200, ""},
	"POST /webhooks/{whk}/test":      {members, 303, ""},
	"GET /deliveries":                {members, 200, ""},
	"GET /deliveries.csv":            {members, 200, ""},
	"GET /events.csv":                {members, 200, ""},
	"POST /views":                    {members, 303, "list=deliveries&query=state%3Dfailed&name=Failed"},
	"POST /views/{viw}/delete":       {members, 404, ""}, // it is somebody else's
	"GET /deliveries/{dlv}":          {members, 200, ""},
	"POST /deliveries/{dlv}/replay":  {members, 303, ""},
	"POST /webhooks/{whk}/retry":     {members, 303, ""},
	"POST /events/{evt}/send":        {members, 404, ""},
	"GET /stats":                     {members, 200, ""},
	"GET /events":                    {members, 200, ""},
	"GET /events/{evt}":              {members, 200, ""},
	"GET /replays":                   {members, 200, ""},
	"GET /replays/new":               {members, 200, ""},
	"POST /replays/new":              {members, 303, ""},
	"GET /replays/{rpl}":             {members, 200, ""},
	"POST /replays/{rpl}/cancel":     {members, 303, ""},
	"GET /bookings/{ref}":            {members, 200, ""},

	"GET /reconcile":                  {members, 200, ""},
	"POST /reconcile":                 {members, 422, ""},
	"GET /reconcile/uploads/{upl}":    {members, 422, ""}, // no webhook is chosen
	"POST /reconcile/uploads/{upl}":   {members, 303, "webhook_id={whk}"},
	"GET /reconcile/{rec}":            {members, 200, ""},
	"GET /reconcile/{rec}/export.csv": {members, 200, ""},

	"GET /search":                     {members, 200, ""},
	"GET /channels":                   {members, 200, ""},
	"GET /tours":                      {members, 200, ""},
	"GET /settings/account":           {members, 200, ""},
	"GET /settings/platforms":         {members, 200, ""},
	"GET /settings/platforms/tourcms": {members, 200, ""},
	"GET /settings/rejected":          {members, 200, ""},
	"POST /settings/rejected/delete":  {operators, 303, ""},
	"GET /settings/people":            {members, 200, ""},
	"GET /settings/tokens":            {members, 200, ""},
	"GET /settings/activity":          {members, 200, ""},

	"GET /webhooks/new":                    {operators, 303, ""},
	"POST /webhooks/new":                   {operators, 303, ""},
	"POST /deliveries/{dlv}/cancel":        {operators, 303, ""},
	"POST /webhooks/{whk}/edit":            {operators, 303, ""},
	"POST /webhooks/{whk}/switch":          {operators, 303, "enabled=0"},
	"POST /webhooks/{whk}/rotate":          {operators, 303, ""},
	"POST /webhooks/{whk}/stored":          {operators, 303, ""},
	"POST /webhooks/{whk}/fallback":        {operators, 303, "email=office@example.com"},
	"POST /webhooks/{whk}/fallback/send":   {operators, 404, ""},
	"POST /webhooks/{whk}/fallback/remove": {operators, 404, ""},
	"POST /webhooks/{whk}/delete":          {operators, 303, ""},
	"POST /drafts/{drf}/delete":            {operators, 303, ""},
	"POST /drafts/{drf}/check-url":         {operators, 200, ""},
	"GET /drafts/{drf}/test":               {operators, 303, ""},
	"POST /drafts/{drf}/test":              {operators, 422, ""},
	"GET /drafts/{drf}/type":               {operators, 200, ""},
	"POST /drafts/{drf}/type":              {operators, 303, "type=async&concurrency=8"},
	"POST /channels":                       {operators, 303, "id={item}&name=New"},
	"POST /channels/rename":                {operators, 303, "id={ours}&name=Renamed"},
	"POST /channels/retire":                {operators, 303, "id={ours}"},
	"POST /channels/restore":               {operators, 303, "id={ours}"},
	"POST /channels/refresh":               {operators, 422, ""},
	"POST /channels/import":                {operators, 303, "text=1,One"},
	"POST /tours":                          {operators, 303, "id={item}&name=New"},
	"POST /tours/rename":                   {operators, 303, "id={ours}&name=Renamed"},
	"POST /tours/retire":                   {operators, 303, "id={ours}"},
	"POST /tours/restore":                  {operators, 303, "id={ours}"},
	"POST /tours/refresh":                  {operators, 422, ""},
	"POST /tours/import":                   {operators, 303, "text=1,One"},
	"POST /settings/account":               {operators, 422, ""},
	"POST /settings/checklist":             {operators, 303, "hidden=1"},
	"POST /settings/people":                {operators, 303, "role=staff&email={email}"},
	"POST /settings/people/{usr}/remove":   {operators, 303, ""},
	"POST /settings/people/{usr}/role":     {operators, 303, "role=staff"},
	"POST /settings/tokens":                {operators, 201, "name=New"},
	"POST /settings/tokens/{tok}/revoke":   {operators, 303, ""},
	"POST /settings/clients":               {operators, 201, "name=New"},

	"POST /settings/clients/{cli}/revoke": {operators, 303, ""},

	"POST /settings/people/{usr}/password": {operators, 200, ""},

	"POST /v3.8/distributor/oauth2/token":      {anybody, 401, `{}`},
	"GET /v3.8/distributor/webhooks":           {portal, 200, ""},
	"POST /v3.8/distributor/webhooks":          {portal, 201, `{"data":{"webhook":{"webhook_events":["ORDER_CREATE"],"webhook_url":"https://example.com/"}}}`},
	"DELETE /v3.8/distributor/webhooks/{uuid}": {portal, 204, ""},
	"POST /v3.8/distributor/notifications":     {portal, 204, `{"data":{"notification":{"notification_event":"ORDER_CREATE","notification_item_id":"1"}}}`},

	"POST /settings/platforms/tourcms/switch":   {operators, 303, "enabled=1"},
	"POST /settings/platforms/tourcms/rotate":   {operators, 303, ""},
	"POST /settings/platforms/tourcms/settings": {operators, 303, ""},

	"GET /api/v1/account":                  {program, 200, ""},
	"POST /api/v1/events":                  {program, 202, `{"type":"cancelled"}`},
	"POST /api/v1/events/batch":            {program, 202, `{"events":[{"type":"cancelled"}]}`},
	"GET /api/v1/events":                   {program, 200, ""},
	"GET /api/v1/events/{evt}":             {program, 200, ""},
	"POST /api/v1/events/{evt}/send":       {program, 202, `{"webhook_id":"{whk}"}`},
	"GET /api/v1/bookings/{ref}":           {program, 200, ""},
	"POST /api/v1/inline":                  {program, 200, `{"type":"new_temporary_web","booking_id":"1"}`},
	"GET /api/v1/deliveries":               {program, 200, ""},
	"GET /api/v1/deliveries.csv":           {program, 200, ""},
	"GET /api/v1/events.csv":               {program, 200, ""},
	"GET /api/v1/deliveries/{dlv}":         {program, 200, ""},
	"POST /api/v1/deliveries/{dlv}/replay": {program, 202, ""},
	"GET /api/v1/replays":                  {program, 200, ""},
	"POST /api/v1/replays":                 {program, 202, `{"deliveries":{}}`},
	"GET /api/v1/replays/{rpl}":            {program, 200, ""},
	"POST /api/v1/replays/{rpl}/cancel":    {program, 200, ""},
	"GET /api/v1/webhooks":                 {program, 200, ""},
	"POST /api/v1/webhooks":                {program, 201, `{"name":"New","url":"https://example.com/","events":["cancelled"]}`},
	"GET /api/v1/webhooks/{whk}":           {program, 200, ""},
	"PATCH /api/v1/webhooks/{whk}":         {program, 200, `{"name":"Renamed"}`},
	"DELETE /api/v1/webhooks/{whk}":        {program, 204, ""},
	"POST /api/v1/webhooks/{whk}/test":     {program, 202, ""},
	"GET /api/v1/webhooks/{whk}/stats":     {program, 200, ""},
	"GET /api/v1/stats":                    {program, 200, ""},
	"GET /api/v1/channels":                 {program, 200, ""},
	"PUT /api/v1/channels":                 {program, 200, `{"items":[{"id":"1","name":"One"}]}`},
	"GET /api/v1/tours":                    {program, 200, ""},
	"PUT /api/v1/tours":                    {program, 200, `{"items":[{"id":"1","name":"One"}]}`},
})

func inVersions(all map[string]route) map[string]route {
	for path, r := range maps.Clone(all) {
		for _, version := range []string{"3.5", "3.6", "3.7"} {
			all[strings.Replace(path, prio, "/v"+version+"/distributor", 1)] = r
		}
	}
	return all
}

// caller is who asks, and how.
type caller struct {
	name    string
	email   string // "" for nobody
	token   string // of an API token
	access  string // an access token
	cross   bool   // from a page of another site
	browser *browser
}

// foreign reports whether the caller is of the other account.
func (c *caller) foreign() bool {
	return c.email == others || strings.HasSuffix(c.name, "of the other account")
}

const (
	toLogin    = -1 // sent to the sign-in
	toAccounts = -2 // sent to the list of accounts
	toInstance = -3 // sent to the overview of all accounts
)

// want is what a caller gets from a route.
func (r route) want(c *caller, path string) int {
	switch {
	case r.guard == program && c.token == "", r.guard == portal && c.access == "":
		return http.StatusUnauthorized
	case r.guard < program && c.cross && !strings.HasPrefix(path, "GET ") && !forPrograms(path) && !byLink(path):
		return http.StatusForbidden
	case r.guard != anybody && r.guard < program && c.email == "":
		return toLogin
	}
	return r.wantSignedIn(c, path)
}

func (r route) wantSignedIn(c *caller, path string) int {
	isAdmin := c.email == admin || c.email == lone
	switch {
	case r.guard == admins && !isAdmin:
		return http.StatusForbidden
	case r.guard >= members && r.guard != configurers && c.email == lone:
		return toInstance
	case r.guard >= operators && c.email == staff:
		return http.StatusForbidden
	case r.guard >= members && c.foreign() && namesOurs(path+r.body):
		return http.StatusNotFound
	}
	return r.ok
}

func forPrograms(path string) bool {
	return strings.Contains(path, " /api/") || strings.Contains(path, " /in/") || strings.Contains(path, "/distributor")
}

// byLink reports whether the request is by who has a link from a message.
func byLink(path string) bool {
	return path == "POST /invitation" || path == "POST /password/new" || path == "POST /notices/stop" || strings.HasPrefix(path, "POST /fallback/")
}

// namesOurs reports whether the request names something of the first account.
func namesOurs(request string) bool {
	return slices.ContainsFunc([]string{"{whk}", "{dlv}", "{rpl}", "{evt}", "{drf}", "{usr}", "{tok}", "{ours}", "{cli}", "{uuid}", "{ref}", "{upl}", "{rec}", "{inv}"}, func(id string) bool {
		return strings.Contains(request, id)
	})
}

func TestEveryRouteIsInTheTable(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	names := strings.NewReplacer("/in/:platform/:token", "/in/{platform}/{address}", "/static/:name", "/static/{static}", "/accounts/:id", "/accounts/{acc}", "/webhooks/:id", "/webhooks/{whk}",
		"/deliveries/:id", "/deliveries/{dlv}", "/replays/:id", "/replays/{rpl}", "/reconcile/:id", "/reconcile/{rec}", "/uploads/:id", "/uploads/{upl}", "/events/:id", "/events/{evt}", "/drafts/:id", "/drafts/{drf}", ":step", "type",
		"/people/:id", "/people/{usr}", "/tokens/:id", "/tokens/{tok}", "/clients/:id", "/clients/{cli}", "/views/:id", "/views/{viw}", "/invitations/:id", "/invitations/{inv}", ":webhook_id", "{uuid}", ":booking_id", "{ref}", ":reference", "{ref}", ":platform", "tourcms")
	registered := map[string]bool{}
	for _, r := range s.app.GetRoutes(true) {
		if r.Method == http.MethodHead { // comes with each GET
			continue
		}
		path := r.Method + " " + names.Replace(r.Path)
		registered[path] = true
		if _, ok := routes[path]; !ok {
			t.Errorf("%s is not in the table", path)
		}
	}
	for path := range routes {
		if !registered[path] {
			t.Errorf("%s is in the table, but there is no such route", path)
		}
	}
}

func TestAccess(t *testing.T) {
	t.Parallel()
	s, _ := newMailSite(t, smtptest.Options{})
	callers := []*caller{
		{name: "nobody"},
		{name: "staff", email: staff},
		{name: "operator", email: anna},
		{name: "admin", email: admin},
		{name: "admin without an account", email: lone},
		{name: "operator of the other account", email: others},
		{name: "operator, from another site", email: berta, cross: true},
		{name: "nobody, from another site", cross: true},
		{name: "program", token: s.token(s.account.ID)},
		{name: "program of the other account", token: s.token(s.other.ID)},
		{name: "portal", access: s.access(s.account.ID)},
		{name: "portal of the other account", access: s.access(s.other.ID)},
	}
	things := s.things()
	for _, path := range slices.Sorted(maps.Keys(routes)) {
		r := routes[path]
		for _, c := range callers {
			got, want := s.ask(c, path, r, things), r.want(c, path)
			if got.code() != want {
				t.Errorf("%s by %s: got %d (to %q), want %d", path, c.name, got.status, got.location, want)
			}
			if c.foreign() && strings.Contains(got.text, "Secret of ours") {
				t.Errorf("%s by %s: shows what is not theirs", path, c.name)
			}
			if want == r.ok && !strings.HasPrefix(path, "GET ") { // it may have used them up
				things = s.things()
			}
		}
	}
}

// code is the status, or where a redirect leads if a guard may have made it.
func (p page) code() int {
	switch {
	case strings.HasPrefix(p.location, "/login") && p.status == http.StatusSeeOther:
		return toLogin
	case p.location == "/admin/accounts" && p.status == http.StatusSeeOther:
		return toAccounts
	case p.location == "/admin" && p.status == http.StatusSeeOther:
		return toInstance
	}
	return p.status
}

func (s *site) token(account webhook.AccountID) string {
	s.Helper()
	text, hash := auth.NewToken()
	_, err := s.store.AddToken(s.Context(), webhook.Token{Account: account, Name: "test", CreatedAt: time.Now()}, hash, change())
	s.check(err)
	return text
}

// access makes an access token.
func (s *site) access(account webhook.AccountID) string {
	s.Helper()
	text, hash := auth.NewToken()
	client, err := s.store.AddClient(s.Context(), webhook.Client{Account: account, Name: "test"}, []byte("x"), change())
	s.check(err)
	s.check(s.store.AddClientToken(s.Context(), client.ID, hash, scope, time.Now().Add(time.Hour), time.Now()))
	return text
}

// ask makes one request, in a session of the caller.
func (s *site) ask(c *caller, path string, r route, things *strings.Replacer) page {
	s.Helper()
	switch {
	case c.email == "":
		c.browser = s.anonymous()
	case c.browser == nil:
		c.browser = s.signIn(c.email)
	}
	b := c.browser
	if r.ok == toLogin { // it ends the session
		c.browser = nil
	}
	method, path, _ := strings.Cut(path, " ")
	if path == "/live" { // which has no end
		method = http.MethodHead
	}
	request := b.request(method, things.Replace(path), things.Replace(r.body))
	if forPrograms(" " + path) {
		request.Header.Set("Content-Type", "application/json")
	}
	if token := c.token + c.access; token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if c.cross {
		request.Header.Set("Origin", "https://evil.example")
		request.Header.Set("Sec-Fetch-Site", "cross-site")
	}
	return b.do(request)
}

// things makes one of everything in the first account and fills in their ids.
// The webhooks before are gone, or each event would be matched with all.
func (s *site) things() *strings.Replacer {
	s.Helper()
	for _, w := range must(s, s.store.Webhooks, s.account.ID) {
		_, err := s.store.DeleteWebhook(s.Context(), s.account.ID, w.ID, change())
		s.check(err)
	}
	s.makeRoom()
	w := s.hook(nowhere, func(w *webhook.Webhook) { w.Name = "Secret of ours" })
	ofPrio := s.hook(nowhere, func(w *webhook.Webhook) { // one that a client of Prioticket's API may delete
		w.Name, w.AllEvents, w.Events = "Secret of ours, too", false, []string{"prioticket:ORDER_CREATE"}
	})
	off := s.hook(nowhere, func(w *webhook.Webhook) { w.Name, w.Enabled = "Secret of ours, off", false })
	a := s.leave(webhook.Event{BookingID: "Secret of ours"})[0]
	reference := "#1/2 é " + rand.Text()
	s.leave(webhook.Event{BookingID: reference})
	d := a.Decisions[slices.IndexFunc(a.Decisions, func(d webhook.Decision) bool { return d.Webhook == w.ID })]
	draft, err := s.store.SaveDraft(s.Context(), webhook.Draft{Account: s.account.ID, Config: webhook.Config{Kind: webhook.Async, Name: "Secret of ours"}}, time.Now())
	s.check(err)
	u := s.addUser(strings.ToLower(rand.Text())+"@room.example.com", s.account.ID, webhook.RoleStaff)
	token, err := s.store.AddToken(s.Context(), webhook.Token{Account: s.account.ID, Name: "Secret of ours"}, []byte(rand.Text()), change())
	s.check(err)
	client, err := s.store.AddClient(s.Context(), webhook.Client{Account: s.account.ID, Name: "Secret of ours"}, []byte("x"), change())
	s.check(err)
	replay, err := s.store.PlanReplay(s.Context(), s.account.ID, webhook.ReplayRequest{}, change())
	s.check(err)
	s.check(s.store.AddReplayItems(s.Context(), s.account.ID, replay.ID, []webhook.ReplayItem{{Event: a.Event.ID, Webhook: off.ID}}))
	_, err = s.store.StartReplay(s.Context(), s.account.ID, replay.ID, change())
	s.check(err)
	s.check(s.store.SaveView(s.Context(), webhook.SavedView{Account: s.account.ID, User: u.ID, List: webhook.ViewedDeliveries, Name: "Secret of ours", Query: "state=failed"}, time.Now()))
	views, err := s.store.SavedViews(s.Context(), s.account.ID, u.ID, webhook.ViewedDeliveries)
	s.check(err)
	upload := s.upload(s.account.ID, "1\n")
	compared, err := reconcile.New(s.store).Compare(s.Context(), upload, webhook.ReconcileRequest{Webhook: w.ID}, change())
	s.check(err)
	s.invited += webhook.InvitationsWithin
	invited, err := s.store.AddInvitation(s.Context(), webhook.Invitation{Account: s.account.ID, Email: strings.ToLower(rand.Text()) + "@room.example.com", Role: webhook.RoleStaff},
		webhook.Change{By: "test", At: time.Now().AddDate(-5, 0, 0).Add(s.invited)})
	s.check(err)
	ours := webhook.Item{ID: rand.Text(), Name: "Secret of ours"}
	s.putItems(webhook.Channels, ours)
	s.putItems(webhook.Tours, ours)
	return strings.NewReplacer("{static}", strings.TrimPrefix(static.Path("app.css"), "/static/"), "{acc}", s.account.ID.String(),
		"{whk}", w.ID.String(), "{dlv}", webhook.DeliveryID(d.Delivery).String(), "{rpl}", replay.ID.String(), "{evt}", a.Event.ID.String(),
		"{drf}", webhook.DraftID(draft.ID).String(), "{usr}", u.ID.String(), "{tok}", token.ID.String(), "{cli}", client.ID.String(), "{uuid}", uuidOf(ofPrio.ID),
		"{upl}", upload.ID.String(), "{rec}", compared.ID.String(), "{ours}", ours.ID, "{viw}", views[0].ID.String(), "{item}", rand.Text(), "{inv}", invited.ID.String(), "{ref}", url.PathEscape(reference), "{email}", url.QueryEscape(strings.ToLower(rand.Text())+"@example.com"))
}

// makeRoom removes what earlier things left behind, since there are limits.
func (s *site) makeRoom() {
	s.Helper()
	for _, client := range must(s, s.store.Clients, s.account.ID) {
		if client.Name == "Secret of ours" {
			s.check(s.store.RevokeClient(s.Context(), s.account.ID, client.ID, change()))
		}
	}
	for _, token := range must(s, s.store.Tokens, s.account.ID) {
		if token.Name == "Secret of ours" {
			s.check(s.store.RevokeToken(s.Context(), s.account.ID, token.ID, change()))
		}
	}
	for _, user := range must(s, s.store.Users, s.account.ID) {
		if strings.HasSuffix(user.Email, "@room.example.com") {
			s.check(s.store.RemoveUser(s.Context(), s.account.ID, user.ID, change()))
		}
	}
	for _, i := range must(s, s.store.Invitations, s.account.ID) {
		_, err := s.store.WithdrawInvitation(s.Context(), s.account.ID, i.ID, change())
		s.check(err)
	}
	replays, err := s.store.BulkReplays(s.Context(), s.account.ID, 0, webhook.MaxReplays)
	s.check(err)
	for _, r := range replays {
		if r.State == webhook.ReplayRunning {
			_, err := s.store.CancelReplay(s.Context(), s.account.ID, r.ID, change())
			s.check(err)
		}
	}
	for _, draft := range must(s, s.store.Drafts, s.account.ID) {
		s.check(s.store.DeleteDraft(s.Context(), s.account.ID, draft.ID))
	}
}

// Not even the role of somebody in another account shows.
func TestForeignAdminIsNotFound(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	u, err := s.store.UserByEmail(t.Context(), admin)
	s.check(err)
	s.signIn(others).post("/settings/people/"+u.ID.String()+"/remove", nil).is(http.StatusNotFound)
	s.signIn(anna).post("/settings/people/"+u.ID.String()+"/remove", nil).is(http.StatusForbidden)
}

// A form that says nothing of where it comes from is no browser's, and is taken.
func TestOrigins(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, c := range map[string]struct {
		header, value string
		want          int
	}{
		"same origin":         {"Sec-Fetch-Site", "same-origin", 303},
		"typed":               {"Sec-Fetch-Site", "none", 303},
		"a sister site":       {"Sec-Fetch-Site", "same-site", 403},
		"another site":        {"Sec-Fetch-Site", "cross-site", 403},
		"an old browser":      {"Origin", s.url, 303},
		"an old browser away": {"Origin", "https://evil.example", 403},
		"a null origin":       {"Origin", "null", 403},
		"no browser":          {"X-Nothing", "1", 303},
	} {
		b := s.signIn(anna)
		request := b.request(http.MethodPost, "/logout", "")
		request.Header.Del("Sec-Fetch-Site")
		request.Header.Set(c.header, c.value)
		p := b.do(request)
		if p.status != c.want {
			t.Errorf("%s: got %d, want %d", name, p.status, c.want)
		}
		if c.want == 403 {
			p.has("This came from another site")
		}
	}
}

// Nothing may be framed, scripted from elsewhere or kept by a cache.
func TestHeadersOfEveryPage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	for _, path := range []string{"/login", "/webhooks", "/nowhere", "/healthz", "/api/v1/events"} {
		response, err := b.client.Do(b.request(http.MethodGet, path, ""))
		s.check(err)
		_, err = io.Copy(io.Discard, response.Body)
		s.check(err)
		response.Body.Close()
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff",
			"Referrer-Policy": "same-origin", "Cache-Control": "no-store", "X-Frame-Options": "DENY",
		} {
			if got := response.Header.Get(name); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
	}
}
