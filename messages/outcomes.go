package messages

// outcomes are what came of what a person did on a page.
var outcomes = Texts{}
