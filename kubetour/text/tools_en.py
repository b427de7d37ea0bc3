"""What the search for tools says, in English."""

MESSAGES: dict[str, str] = {
    "tools.download": "Downloading {what} ({size}) from {url} to {to}, once.",
    "error.tool-offline": "There is no {tool} here that will do, and --offline forbids downloading it.",
    "error.tool-offline.fix": "Run once without --offline, or put a {tool} on PATH.",
    "error.kubectl-missing": "There is no kubectl from version {least} on, and it could not be downloaded.",
    "error.kubectl-missing.fix": "Install it (https://kubernetes.io/docs/tasks/tools/; macOS: brew install kubectl; Debian: sudo apt-get install kubernetes-client), or name a mirror: {variable}=https://…",
    "error.kind-missing": "There is no kind from version {least} on, and it could not be downloaded.",
    "error.kind-missing.fix": "Install it (https://kind.sigs.k8s.io/docs/user/quick-start/; macOS: brew install kind), name a mirror: {variable}=https://…, or go without: --provider embedded",
    "error.minikube-missing": "There is no minikube from version {least} on, and it could not be downloaded.",
    "error.minikube-missing.fix": "Install it (https://minikube.sigs.k8s.io/docs/start/; macOS: brew install minikube), name a mirror: {variable}=https://…, or go without: --provider kind",
    "error.download-tampered": "{url} is not the file it should be: its SHA-256 is {found}, not {expected}. It was thrown away.",
    "error.download-tampered.fix": "Try again; if it stays so, a proxy or mirror changes files. Download it over another network.",
    "error.checksum-unreadable": "There is no SHA-256 beside {url}, so the file cannot be checked.",
    "error.checksum-unreadable.fix": "Does a proxy or mirror answer with a page of its own? Download over another network, or install the program yourself.",
    "error.cache-unwritable": "The download cannot be kept in {path}: {reason}",
    "error.cache-unwritable.fix": "Make the directory writable, or name another: XDG_CACHE_HOME=DIR",
    "error.download-failed": "{url} could not be downloaded: {reason}",
    "error.download-failed.fix": "Check network and proxy, and try again.",
}
