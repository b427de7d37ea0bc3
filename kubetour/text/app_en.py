"""What is said of an app that is not our own, in English, by key."""

MESSAGES = {
    # How an app tells who answered
    "way.body": "its text says so",
    "way.header": "one of its headers says so",
    "way.log": "the log has this very request",
    # Proofs
    "proof.container-told": "The answer came from the container, host name {host}: {way}.",
    "proof.container-untold": "The container answered.",
    "proof.pod-told": "The answer came from the Pod {name}: {way}.",
    "proof.pod-untold": "The request was answered, while {ready} Pod(s) of this workload were ready.",
    "proof.all-told": "All {count} Pods answered, in {requests} requests: {shares} ({way}).",
    "proof.all-untold": "All {requests} requests were answered, while all {count} Pods were ready endpoints of the Service.",
    "proof.log-none": "The log is empty: the app has written nothing yet.",
    "proof.killed": "Stopped after {seconds} s: the app did not end by itself, and after {grace} s the engine killed it.",
    # Proofs: what does not hold (yet)
    "proof.no-answer": "the app has not answered yet. Does it listen on --port, on all addresses, and on the embedded cluster where HOST and PORT say? Got: {answer}",
    "proof.pod-silent": "an answer came, but of no Pod of this workload: when this app answered before, {way}; now nothing does. Got: {answer}",
    "proof.pods-unready": "an answer came, but no Pod of this workload is ready",
    "proof.not-all-told": "{distinct} of {count} Pods have answered so far ({way}); of {requests} answers, {strangers} came from somebody else",
    "proof.not-all-behind": "{answered} requests were answered so far; {behind} of {count} Pods are ready endpoints of the Service",
    # Notes
    "proof.who-unknown": "Not proved: who answered. The app names its host neither in the text nor in a header, and no log has the request. A header such as X-Served-By with the value of HOSTNAME would tell, or a log of requests with their query.",
    "proof.who-still": "Not proved: which Pod answered, as the app does not tell.",
    "proof.who-status": "The app answers {status} at /: it has nothing there. It has answered all the same.",
    "proof.log-where": "A container's log is what the app writes to standard output and standard error; a file in the container is none. Python holds its output back unless PYTHONUNBUFFERED=1 is set.",
    "proof.killed-why": 'Process 1 of a container gets no default for SIGTERM: an app that does not handle it, or stands behind a shell that does not pass it on, ends late, and each of its Pods takes 30 s to go. Let the app handle SIGTERM, and start it in exec form: ENTRYPOINT ["program"].',
    "proof.user-root": "The Dockerfile names no USER other than root, so its Pods are allowed to run as root. Better, and needed where the Pod Security level is restricted: USER 1000.",
    "proof.user-named": "USER {user} is a name, which Kubernetes cannot judge, so its Pods are not held to run as somebody other than root. Better, and needed where the Pod Security level is restricted: the user's number.",
    "proof.port-other": "The Dockerfile has EXPOSE {ports}, and the tour asks on port {port}. If the app does not listen there: --port NUMBER",
    # What a diagnosis finds
    "cause.memory": "Pod {pod}: killed, as its container used more memory than its limit. Raise the limit in templates/deployment.yaml.j2.",
    "cause.address": "Pod {pod}: the port its app wants is taken: {line}. Pods of the embedded cluster share this machine, so the app must listen where the variables HOST and PORT say. Else take a container engine: --provider kind",
    "cause.denied": "Pod {pod}: its app was not allowed something: {line}. Its user and rights are set in templates/deployment.yaml.j2, by the Dockerfile's last USER.",
    # Errors and their fixes
    "error.embedded-run": "The embedded cluster cannot do a Dockerfile's RUN: it isolates nothing, so the command would change this machine itself.",
    "error.embedded-run.fix": "Take a container engine: --provider kind. Or run the command beforehand, outside, and COPY its result (pip install --target, npm ci, a compiled program).",
}
