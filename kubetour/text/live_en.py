"""What the live picture and `inv watch` say, in English."""

MESSAGES = {
    "live.no-service": "There is no Service {name} yet",
    "live.endpoints": "{count} ready endpoint(s)",
    "live.unready": "{count} not ready",
    "live.no-deployment": "There is no Deployment {name} yet",
    "live.replicas": "{declared} declared, {ready} ready",
    "live.not-ready": "{status}, not ready",
    "live.rate": "Requests, {rate} a second",
    "live.answered": "{count} answered",
    "live.failed": "{count} failed",
    "live.no-way": "none has got through yet",
    "live.no-pods": "no Pods",
    "live.unscheduled": "on no node yet",
    "live.more": "… {lines} more lines: make the window larger",
    "live.title": "{context}, namespace {namespace} · Ctrl-C ends this",
    "live.lost": "The API server does not answer; this is what was seen last. {reason}",
    "live.gone": "gone",
    "live.endpoint-ready": "ready",
    "live.endpoint-unready": "not ready",
}
