"""The page a person looks at: the unusual moments of some footage, in one file that needs nothing else.

`moments` says which, `words` what is said of them, `pictures` and `where` show them, `charts` draws what Plotly gets,
`page` puts the file together, and `job` is the whole of it. Needs the extra `report`.
"""
