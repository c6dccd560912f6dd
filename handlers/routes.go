package handlers

import (
	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/api"
	"bookhook/handlers/inbound"
	"bookhook/handlers/pages"
	"bookhook/handlers/prio"
	"bookhook/handlers/web"
)

// routes registers every address of Bookhook. The guards of a group are written
// once, before it; the comment of the group says whom they let through. No body is
// received before them; the guard after them says how large it may be.
func (a *app) routes(f *fiber.App) {
	f.Get("/healthz", a.showHealth)
	f.Get("/readyz", a.showHealth) // a replica that cannot reach the database should get no traffic
	f.Get("/static/:name", a.pages.ShowStatic)
	apiRoutes(f.Group("/api"), a.api, a.server.Body(web.MaxBody))
	inboundRoutes(f, a.inbound)
	for _, version := range prio.Versions {
		prioRoutes(f.Group(prio.Path(version)), a.prio, a.server.Body(web.MaxBody))
	}
	f.Use(a.prio.OtherVersions)
	linkRoutes(f, a.pages)
	f.Use(a.server.SameOrigin, web.OtherMethods)
	pageRoutes(f, a.pages)
}

// linkRoutes are for who has a link from a message, which is all that counts: browsers
// do not say where a post from a page without referrers is from.
func linkRoutes(f *fiber.App, p *pages.Pages) {
	f.Get("/password/new", p.ShowReset)
	f.Post("/password/new", p.TakeForm, p.SaveReset)
	f.Get("/invitation", p.ShowInvitation)
	f.Post("/invitation", p.TakeForm, p.AcceptInvitation)
	f.Get("/notices/stop", p.ShowStop)
	f.Post("/notices/stop", p.StopNotices)
	f.Get("/fallback/confirm", p.ShowConfirmFallback)
	f.Post("/fallback/confirm", p.TakeForm, p.ConfirmFallback)
	f.Get("/fallback/stop", p.ShowStopFallback)
	f.Post("/fallback/stop", p.StopFallback)
}

// pageRoutes are the pages, for people.
func pageRoutes(f *fiber.App, p *pages.Pages) {
	// Anybody.
	f.Get("/setup", p.ShowSetup)
	f.Post("/setup", p.TakeForm, p.SaveSetup)
	f.Get("/login", p.ShowLogin)
	f.Post("/login", p.TakeForm, p.SignIn)
	f.Post("/logout", p.SignOut)
	f.Get("/password/forgot", p.ShowForgotten)
	f.Post("/password/forgot", p.TakeForm, p.AskReset)
	f.Post("/settings/theme", p.TakeForm, p.SaveTheme)

	// Everybody who is signed in.
	people := f.Group("", p.SignedIn, p.TakeForm)
	people.Get("/settings", p.ShowProfile)
	people.Post("/settings/password", p.SavePassword)
	people.Post("/settings/sign-out", p.SignOutEverywhere)
	people.Get("/settings/notices", p.ShowNotices)
	people.Post("/settings/notices", p.SaveNotices)
	people.Get("/settings/mail", pages.Operators, p.ShowMail)
	people.Post("/settings/mail/test", pages.Admins, p.TestMail)

	// Admins of the instance.
	admin := people.Group("/admin", pages.Admins)
	admin.Get("", p.ShowInstance)
	admin.Get("/accounts", p.ListAccounts)
	admin.Get("/stats", p.ShowInstanceStats)
	admin.Post("/accounts", p.AddAccount)
	admin.Post("/accounts/:id/limit", p.SaveLimit)
	admin.Post("/accounts/:id/users", p.AddAccountUser)

	staff := people.Group("", pages.WithAccount)
	staffRoutes(staff, p)
	operatorRoutes(web.Guarded{Router: staff, Guard: pages.Operators}, p)
}

// staffRoutes are for staff of an account: they see everything, test and replay.
func staffRoutes(staff fiber.Router, p *pages.Pages) {
	staff.Get("/", p.Follow, p.ShowHome)
	staff.Get("/live", p.StreamChanges)
	staff.Get("/webhooks", p.Follow, p.ListWebhooks)
	staff.Get("/webhooks/new", pages.Operators, p.NewDraft)
	staff.Post("/webhooks/new", pages.Operators, p.NewDraft)
	staff.Get("/webhooks/:id", p.Follow, p.ShowWebhook)
	staff.Get("/webhooks/:id/deliveries", pages.WithoutEmpty, p.Follow, p.ShowWebhookDeliveries)
	staff.Get("/webhooks/:id/settings", p.ShowWebhookSettings)
	staff.Get("/webhooks/:id/signing", p.ShowWebhookSigning)
	staff.Post("/webhooks/:id/test", p.TestWebhook)
	staff.Post("/webhooks/:id/retry", p.RetryWebhook)
	staff.Get("/deliveries", pages.WithoutEmpty, p.Follow, p.ListDeliveries)
	staff.Get("/deliveries.csv", p.ExportDeliveries)
	staff.Get("/deliveries/:id", p.Follow, p.ShowDelivery)
	staff.Post("/deliveries/:id/replay", p.ReplayDelivery)
	staff.Get("/events", pages.WithoutEmpty, p.Follow, p.ListEvents)
	staff.Get("/events.csv", p.ExportEvents)
	staff.Get("/events/:id", p.ShowEvent)
	staff.Post("/events/:id/send", p.SendEvent)
	staff.Get("/stats", p.Follow, p.ShowStats)
	staff.Get("/replays", p.Follow, p.ListReplays)
	staff.Get("/replays/new", p.NewReplay)
	staff.Post("/replays/new", p.StartReplay)
	staff.Get("/replays/:id", p.Follow, p.ShowReplay)
	staff.Post("/replays/:id/cancel", p.CancelReplay)
	staff.Get("/reconcile", p.NewReconciliation)
	staff.Post("/reconcile", p.AddUpload)
	staff.Get("/reconcile/uploads/:id", p.ShowUpload)
	staff.Post("/reconcile/uploads/:id", p.Reconcile)
	staff.Get("/reconcile/:id", p.ShowReconciliation)
	staff.Get("/reconcile/:id/export.csv", p.ExportReconciliation)
	staff.Get("/bookings/:reference", p.ShowBooking)
	staff.Get("/search", p.Search)
	staff.Post("/views", p.SaveView)
	staff.Post("/views/:id/delete", p.DeleteView)
	staff.Get("/channels", pages.WithoutEmpty, p.ListItems)
	staff.Get("/tours", pages.WithoutEmpty, p.ListItems)
	staff.Get("/settings/account", p.ShowAccountSettings)
	staff.Get("/settings/platforms", p.ListPlatforms)
	staff.Get("/settings/platforms/:platform", p.ShowPlatform)
	staff.Get("/settings/rejected", p.ListRejected)
	staff.Get("/settings/people", p.ListPeople)
	staff.Get("/settings/tokens", p.ListTokens)
	staff.Get("/settings/activity", p.ShowActivity)
}

// operatorRoutes are for operators of an account, who may change it.
func operatorRoutes(operator web.Guarded, p *pages.Pages) {
	operator.Post("/deliveries/:id/cancel", p.CancelDelivery)
	operator.Post("/webhooks/:id/edit", p.EditWebhook)
	operator.Post("/webhooks/:id/switch", p.SwitchWebhook)
	operator.Post("/webhooks/:id/rotate", p.RotateSecret)
	operator.Post("/webhooks/:id/stored", p.MarkSecretStored)
	operator.Post("/webhooks/:id/fallback", p.SaveFallback)
	operator.Post("/webhooks/:id/fallback/send", p.SendFallbackLink)
	operator.Post("/webhooks/:id/fallback/remove", p.RemoveFallback)
	operator.Post("/webhooks/:id/delete", p.DeleteWebhook)
	operator.Post("/settings/rejected/delete", p.DeleteRejected)
	operator.Post("/drafts/:id/delete", p.DeleteDraft)
	operator.Post("/drafts/:id/check-url", p.CheckURL)
	operator.Get("/drafts/:id/test", p.ShowTestedDraft)
	operator.Post("/drafts/:id/test", p.TestDraft)
	operator.Get("/drafts/:id/:step", p.ShowStep)
	operator.Post("/drafts/:id/:step", p.SaveStep)
	for _, kind := range []string{"/channels", "/tours"} {
		operator.Post(kind, p.AddItem)
		operator.Post(kind+"/rename", p.RenameItem)
		operator.Post(kind+"/retire", p.RetireItem)
		operator.Post(kind+"/restore", p.RestoreItem)
		operator.Post(kind+"/import", p.ImportItems)
		operator.Post(kind+"/refresh", p.RefreshItems)
	}
	operator.Post("/settings/account", p.SaveAccountSettings)
	operator.Post("/settings/notices/limits", p.SaveNoticeLimits)
	operator.Post("/settings/platforms/:platform/switch", p.SwitchPlatform)
	operator.Post("/settings/platforms/:platform/rotate", p.RotateAddress)
	operator.Post("/settings/platforms/:platform/settings", p.SavePlatform)
	operator.Post("/settings/checklist", p.HideChecklist)
	operator.Post("/settings/people", p.AddPerson)
	operator.Post("/settings/people/:id/password", p.RenewPassword)
	operator.Post("/settings/people/:id/role", p.ChangeRole)
	operator.Post("/settings/people/:id/remove", p.RemovePerson)
	operator.Post("/settings/invitations/:id/send", p.SendInvitation)
	operator.Post("/settings/invitations/:id/withdraw", p.WithdrawInvitation)
	operator.Post("/settings/tokens", p.AddToken)
	operator.Post("/settings/tokens/:id/revoke", p.RevokeToken)
	operator.Post("/settings/clients", p.AddClient)
	operator.Post("/settings/clients/:id/revoke", p.RevokeClient)
}

// inboundRoutes are for the booking platforms, which the address authenticates.
func inboundRoutes(f *fiber.App, i *inbound.Inbound) {
	f.Get(inbound.Path+":platform/:token", i.Receive)
	f.Post(inbound.Path+":platform/:token", i.Receive)
	f.Use(inbound.Path+"*", i.Receive) // also for other methods, and for addresses that do not exist
}

// apiRoutes are the JSON API: one token, one account.
func apiRoutes(router fiber.Router, a *api.API, body fiber.Handler) {
	router.Get("/openapi.json", a.ShowOpenAPI)
	v1 := router.Group("/v1", a.Bearer, body)
	v1.Get("/account", api.NoQuery, a.ShowAccount)

	v1.Post("/events", api.NoQuery, a.AddEvent)
	v1.Post("/events/batch", api.NoQuery, a.AddEvents)
	v1.Get("/events", a.ListEvents)
	v1.Get("/events.csv", a.ExportEvents)
	v1.Get("/events/:id", api.NoQuery, a.ShowEvent)
	v1.Post("/events/:id/send", api.NoQuery, a.SendEvent)
	v1.Get("/bookings/:booking_id", a.ShowBooking)

	v1.Post("/inline", api.NoQuery, a.CallInline)

	v1.Get("/deliveries", a.ListDeliveries)
	v1.Get("/deliveries.csv", a.ExportDeliveries)
	v1.Get("/deliveries/:id", api.NoQuery, a.ShowDelivery)
	v1.Post("/deliveries/:id/replay", api.NoQuery, a.ReplayDelivery)

	v1.Get("/replays", a.ListReplays)
	v1.Post("/replays", api.NoQuery, a.AddReplay)
	v1.Get("/replays/:id", api.NoQuery, a.ShowReplay)
	v1.Post("/replays/:id/cancel", api.NoQuery, a.CancelReplay)

	v1.Get("/webhooks", a.ListWebhooks)
	v1.Post("/webhooks", api.NoQuery, a.AddWebhook)
	v1.Get("/webhooks/:id", api.NoQuery, a.ShowWebhook)
	v1.Patch("/webhooks/:id", api.NoQuery, a.ChangeWebhook)
	v1.Delete("/webhooks/:id", api.NoQuery, a.DeleteWebhook)
	v1.Post("/webhooks/:id/test", api.NoQuery, a.TestWebhook)
	v1.Get("/webhooks/:id/stats", a.ShowWebhookStats)
	v1.Get("/stats", a.ShowStats)

	v1.Get("/channels", a.ListItems)
	v1.Put("/channels", api.NoQuery, a.PutItems)
	v1.Get("/tours", a.ListItems)
	v1.Put("/tours", api.NoQuery, a.PutItems)

	router.Use(web.NoRoute)
}

// prioRoutes are for clients of one version of Prioticket's Distributor API.
func prioRoutes(router fiber.Router, p *prio.Prio, body fiber.Handler) {
	router.Post(prio.TokenPath, p.GrantToken)
	router.Get("/webhooks", p.WithGrant, p.ListWebhooks)
	router.Post("/webhooks", p.WithGrant, body, p.AddWebhook)
	router.Delete("/webhooks/:webhook_id", p.WithGrant, body, p.DeleteWebhook)
	router.Post("/notifications", p.WithGrant, body, p.Notify)
	router.Use(web.NoRoute)
}
