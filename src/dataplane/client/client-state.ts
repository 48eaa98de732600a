/* What a client's connection is at. */

/** Between two requests, or in the head of one. */
export const HEAD = 0;
export const BODY_LENGTH = 1;
export const BODY_CHUNKED = 2;
/** The request is complete, its answer is not. What comes is kept for later. */
export const WAIT = 3;
export const TUNNEL = 4;
/** Answered before the request's end: what still comes is thrown away for a moment, so that the answer arrives. */
export const LINGER = 5;
export const CLOSED = 6;
