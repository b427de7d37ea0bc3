"""What the live picture and `inv watch` say, in Chinese."""

MESSAGES = {
    "live.no-service": "还没有 Service {name}",
    "live.endpoints": "{count} 个就绪的端点",
    "live.unready": "{count} 个未就绪",
    "live.no-deployment": "还没有 Deployment {name}",
    "live.replicas": "声明 {declared} 个，就绪 {ready} 个",
    "live.not-ready": "{status}，未就绪",
    "live.rate": "请求，每秒 {rate} 个",
    "live.answered": "{count} 个有应答",
    "live.failed": "{count} 个失败",
    "live.no-way": "还没有一个送达",
    "live.no-pods": "没有 Pod",
    "live.unscheduled": "尚未调度到节点",
    "live.more": "… 还有 {lines} 行：请放大窗口",
    "live.title": "{context}，命名空间 {namespace} · 按 Ctrl-C 结束",
    "live.lost": "API server 没有应答，以下是最后看到的状态。{reason}",
    "live.gone": "已消失",
    "live.endpoint-ready": "就绪",
    "live.endpoint-unready": "未就绪",
}
