"""The page a person looks at: the unusual moments of some footage, in one file that needs nothing else.

`moments` says which, `words` what is said of them, `pictures` and `where` show them, `charts` draws what Plotly gets,
`facts` says the whole of a moment, `page` puts the file together, and `job` is the whole. Needs the extra `report`.
"""
