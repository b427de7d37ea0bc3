"""关于并非本项目自带的应用的话，中文，按键排列。"""

MESSAGES = {
    # How an app tells who answered
    "way.body": "应答正文里写着",
    "way.header": "应答的一个头（header）里写着",
    "way.log": "日志里有这次请求",
    # Proofs
    "proof.container-told": "应答来自容器，主机名 {host}：{way}。",
    "proof.container-untold": "容器作出了应答。",
    "proof.pod-told": "应答来自 Pod {name}：{way}。",
    "proof.pod-untold": "请求得到了应答，当时这个工作负载有 {ready} 个 Pod 就绪。",
    "proof.all-told": "{requests} 次请求，{count} 个 Pod 全部应答过：{shares}（{way}）。",
    "proof.all-untold": "{requests} 次请求全部得到应答，当时 {count} 个 Pod 全都是 Service 就绪的端点。",
    "proof.log-none": "日志为空：应用还没有写过任何内容。",
    "proof.killed": "用时 {seconds} 秒停止：应用没有自行退出，{grace} 秒后由引擎强行终止。",
    # Proofs: what does not hold (yet)
    "proof.no-answer": "应用还没有应答。它监听的是 --port 所给的端口、并且是所有地址吗？在嵌入式集群上，是 HOST 和 PORT 所说的地址和端口吗？收到的是：{answer}",
    "proof.pod-silent": "有应答，但不是这个工作负载的 Pod 给出的：以前这个应用应答时，{way}；现在却没有。收到的是：{answer}",
    "proof.pods-unready": "有应答，但这个工作负载没有就绪的 Pod",
    "proof.not-all-told": "目前 {count} 个 Pod 中有 {distinct} 个应答过（{way}）；{requests} 次应答中有 {strangers} 次来自别处",
    "proof.not-all-behind": "目前有 {answered} 次请求得到应答；{count} 个 Pod 中有 {behind} 个是 Service 就绪的端点",
    # Notes
    "proof.who-unknown": "未能证明是谁应答的：应用在正文和头里都没有给出主机名，日志里也没有这次请求。加一个头（例如 X-Served-By，值取自 HOSTNAME），或者在日志里记下请求及其查询串，就能知道。",
    "proof.who-still": "未能证明是哪个 Pod 应答的：应用没有说。",
    "proof.who-status": "应用对 / 的应答是 {status}：那里没有内容。但它确实应答了。",
    "proof.log-where": "容器的日志，是应用写到标准输出和标准错误的内容；写到容器内文件里的不算。Python 会缓冲输出，除非设置 PYTHONUNBUFFERED=1。",
    "proof.killed-why": '容器里的 1 号进程对 SIGTERM 没有默认处理：应用自己不处理它，或者前面隔着一个不转发信号的 shell，就会拖到最后才结束，它的每个 Pod 也要 30 秒才消失。请让应用处理 SIGTERM，并用 exec 形式启动：ENTRYPOINT ["program"]。',
    "proof.user-root": "Dockerfile 没有指定 root 以外的 USER，因此允许它的 Pod 以 root 身份运行。更好的做法是写上 USER 1000；在 Pod Security 级别为 restricted 的集群上必须如此。",
    "proof.user-named": "USER {user} 是名字，Kubernetes 无法据此判断，因此没有要求它的 Pod 必须以非 root 身份运行。更好的做法是写用户的编号；在 Pod Security 级别为 restricted 的集群上必须如此。",
    "proof.port-other": "Dockerfile 里写的是 EXPOSE {ports}，导览访问的却是端口 {port}。如果应用不监听后者，请给出 --port NUMBER",
    # What a diagnosis finds
    "cause.memory": "Pod {pod}：容器使用的内存超过上限，被终止。请在 templates/deployment.yaml.j2 中提高上限。",
    "cause.address": "Pod {pod}：应用要用的端口已被占用：{line}。嵌入式集群的 Pod 共用这台机器，应用必须监听环境变量 HOST 和 PORT 所说的地址和端口。否则请使用容器引擎：--provider kind",
    "cause.denied": "Pod {pod}：应用的某个操作不被允许：{line}。它的用户和权限在 templates/deployment.yaml.j2 中，取决于 Dockerfile 最后的 USER。",
    # Errors and their fixes
    "error.embedded-run": "嵌入式集群无法执行 Dockerfile 中的 RUN：它没有隔离，命令会直接改动这台机器。",
    "error.embedded-run.fix": "请使用容器引擎：--provider kind。或者事先在外面执行该命令，再用 COPY 放入结果（pip install --target、npm ci、编译好的程序）。",
}
