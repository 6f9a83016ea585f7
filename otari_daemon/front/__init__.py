"""The front: HTTP/1.1 as otari accepts it, between the socket and the ASGI application.

`limits` holds the bounds, `head` judges a request's head, `chunks` a chunked body, `refusals` says no,
`reader` tells the application whether its client is still there, `alarm` is the timer of a connection,
and `protocol` puts them on a socket as a uvicorn protocol class.
"""
