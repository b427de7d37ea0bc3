"""What the search for tools says, in Chinese."""

MESSAGES: dict[str, str] = {
    "tools.download": "正在下载 {what}（{size}），来源 {url}，存放于 {to}，仅此一次。",
    "error.tool-offline": "本机没有可用的 {tool}，而 --offline 禁止下载。",
    "error.tool-offline.fix": "请先不带 --offline 运行一次，或把 {tool} 放到 PATH 中。",
    "error.kubectl-missing": "没有 {least} 或更新版本的 kubectl，也无法下载。",
    "error.kubectl-missing.fix": "请安装（https://kubernetes.io/zh-cn/docs/tasks/tools/；macOS：brew install kubectl；Debian：sudo apt-get install kubernetes-client），或指定镜像站：{variable}=https://…",
    "error.kind-missing": "没有 {least} 或更新版本的 kind，也无法下载。",
    "error.kind-missing.fix": "请安装（https://kind.sigs.k8s.io/docs/user/quick-start/；macOS：brew install kind），或指定镜像站：{variable}=https://…，或不使用它：--provider embedded",
    "error.minikube-missing": "没有 {least} 或更新版本的 minikube，也无法下载。",
    "error.minikube-missing.fix": "请安装（https://minikube.sigs.k8s.io/docs/start/；macOS：brew install minikube），或指定镜像站：{variable}=https://…，或不使用它：--provider kind",
    "error.download-tampered": "{url} 不是应有的文件：其 SHA-256 为 {found}，应为 {expected}。文件已丢弃。",
    "error.download-tampered.fix": "请重试；若仍如此，说明代理或镜像站改动了文件，请换一个网络下载。",
    "error.checksum-unreadable": "{url} 旁边没有 SHA-256，无法校验该文件。",
    "error.checksum-unreadable.fix": "是否有代理或镜像站返回了自己的页面？请换一个网络下载，或自行安装该程序。",
    "error.cache-unwritable": "下载的文件无法存放到 {path}：{reason}",
    "error.cache-unwritable.fix": "请使该目录可写，或另行指定：XDG_CACHE_HOME=DIR",
    "error.download-failed": "无法下载 {url}：{reason}",
    "error.download-failed.fix": "请检查网络和代理，然后重试。",
}
