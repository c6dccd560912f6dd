// Package pages is Bookhook as people meet it in a browser: pages, forms and
// sign-in, rendered on the server.
//
// [New] makes the handlers from what they need of the database ([Store], by
// noun), the dispatcher and the request ([web.Server], [web.Sessions]). A handler
// reads its input, calls the store or the dispatcher, and renders a page of
// package views or returns an error, which [Pages.ShowError] shows.
//
// Who may do what is decided where the routes are: [Pages.SignedIn], [WithAccount],
// [Operators] and [Admins] are guards in front of them. Every call to the store
// names the account of the signed-in user, so that ids of another account are not
// found.
//
// Forms follow one habit: what is invalid is the same page again with what was
// typed, the problems, and status 422; what succeeded is 303 and a flash message
// ([Pages.done]). Posts from other origins are refused by the headers that
// browsers send, so forms carry no token.
//
// The wizard (wizard.go, steps.go, drafts.go) works on a draft in the database:
// showing a step reads it, posting a step saves it even when it is invalid.
package pages
