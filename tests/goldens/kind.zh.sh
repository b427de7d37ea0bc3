#!/bin/sh
# 在 kind 上走完全程所用的命令。运行方式：sh -eu FILE
# 由 kubetour 输出（./inv script）；任何一步失败，脚本即停止。
# shellcheck disable=SC2016,SC2086  # templates have $ too; $curl is several words
set -eu
cd /path/to/kubetour
mkdir -p .kubetour

# tools: 工具
kubectl version --client -o json

# app: 应用和它的 Dockerfile
cat Dockerfile
cat app/app.js

# build-context: 实验：构建器收到了什么
if docker image inspect kubetour-node-hostname-context:all >/dev/null 2>&1; then
    echo 'build-context: this is there already, and maybe not yours' >&2; exit 9
fi
trap 'set +e; docker image rm kubetour-node-hostname-context:all kubetour-node-hostname-context:rest; rm -rf .kubetour/build-context' EXIT
rm -rf .kubetour/build-context
mkdir -p .kubetour/build-context
dd if=/dev/urandom of=.kubetour/build-context/big.log bs=1024 count=1024
tee .kubetour/build-context/Dockerfile <<'EOF'
FROM scratch
COPY . /
EOF
docker build --provenance=false --sbom=false -t kubetour-node-hostname-context:all .kubetour/build-context
tee .kubetour/build-context/.dockerignore <<'EOF'
*.log
EOF
docker build --provenance=false --sbom=false -t kubetour-node-hostname-context:rest .kubetour/build-context
docker image inspect --format '{{.Size}}' kubetour-node-hostname-context:all kubetour-node-hostname-context:rest
docker image rm kubetour-node-hostname-context:all kubetour-node-hostname-context:rest
rm -rf .kubetour/build-context

# build: 构建镜像
trap - EXIT
if ! docker image inspect node-hostname:0123456789ab >/dev/null 2>&1; then
docker build --provenance=false --sbom=false -t node-hostname:0123456789ab .
fi
docker image inspect node-hostname:0123456789ab

# layers: 镜像的层
docker history node-hostname:0123456789ab
docker history --no-trunc --format '{{json .}}' node-hostname:0123456789ab

# shared-layers: 实验：改一处要花多少代价
if docker image inspect kubetour-node-hostname-layers:1 >/dev/null 2>&1; then
    echo 'shared-layers: this is there already, and maybe not yours' >&2; exit 9
fi
trap 'set +e; docker image rm kubetour-node-hostname-layers:1 kubetour-node-hostname-layers:2; rm -rf .kubetour/layers' EXIT
mkdir -p .kubetour/layers
dd if=/dev/urandom of=.kubetour/layers/libraries.bin bs=1024 count=1024
tee .kubetour/layers/app.txt <<'EOF'
version 1
EOF
tee .kubetour/layers/Dockerfile <<'EOF'
FROM scratch
COPY libraries.bin /app/
COPY app.txt /app/
EOF
docker build --provenance=false --sbom=false -t kubetour-node-hostname-layers:1 .kubetour/layers
tee .kubetour/layers/app.txt <<'EOF'
version 2
EOF
docker build --provenance=false --sbom=false -t kubetour-node-hostname-layers:2 .kubetour/layers
docker image inspect --format '{{json .RootFS.Layers}}' kubetour-node-hostname-layers:1 kubetour-node-hostname-layers:2
docker image rm kubetour-node-hostname-layers:1 kubetour-node-hostname-layers:2
rm -rf .kubetour/layers

# run-container: 作为容器运行
trap - EXIT
if ! docker inspect kubetour-node-hostname >/dev/null 2>&1; then
docker run -d --rm --name kubetour-node-hostname --label app.kubernetes.io/managed-by=kubetour -p 127.0.0.1:18080:8080 node-hostname:0123456789ab
fi
docker inspect kubetour-node-hostname

# hit-container: 请它回答
tries=0
until curl -sS --fail --max-time 5 --noproxy '*' -H 'Connection: close' http://127.0.0.1:18080/; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done
docker inspect kubetour-node-hostname

# container-logs: 看它的日志
docker logs kubetour-node-hostname

# stop-container: 停止它，留意 SIGTERM
docker stop kubetour-node-hostname

# not-a-vm: 实验：容器究竟在哪里
if docker inspect kubetour-node-hostname-not-a-vm >/dev/null 2>&1; then
    echo 'not-a-vm: this is there already, and maybe not yours' >&2; exit 9
fi
trap 'docker rm -f kubetour-node-hostname-not-a-vm' EXIT
uname -n
docker run -d --name kubetour-node-hostname-not-a-vm --label app.kubernetes.io/managed-by=kubetour node-hostname:0123456789ab
docker exec kubetour-node-hostname-not-a-vm node -p 'os.hostname()'
docker inspect --format '{{.State.Pid}} {{.State.StartedAt}}' kubetour-node-hostname-not-a-vm
docker top kubetour-node-hostname-not-a-vm
sh -c 'cat /proc/uptime; grep NSpid "/proc/$0/status" || true' "$(docker inspect --format '{{.State.Pid}}' kubetour-node-hostname-not-a-vm)"
docker rm -f kubetour-node-hostname-not-a-vm

# create-cluster: 创建集群
if ! kind export kubeconfig --name kubetour --kubeconfig .kubetour/kind-kubetour.kubeconfig >/dev/null 2>&1; then
if docker inspect --type container kubetour-control-plane >/dev/null 2>&1; then
    echo 'create-cluster: this is there already, and maybe not yours' >&2; exit 9
fi
trap 'set +e; kind export logs .kubetour/logs/kind-kubetour --name kubetour; kind delete cluster --name kubetour --kubeconfig .kubetour/kind-kubetour.kubeconfig' EXIT
kind create cluster --name kubetour --kubeconfig .kubetour/kind-kubetour.kubeconfig --config - --retain <<'EOF'
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
- role: control-plane
  labels:
    kubetour.dev/managed-by: kubetour
  extraPortMappings:
  - containerPort: 30080
    hostPort: 30080
    listenAddress: 127.0.0.1
- role: worker
  labels:
    kubetour.dev/managed-by: kubetour
- role: worker
  labels:
    kubetour.dev/managed-by: kubetour
EOF
fi
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour wait --for=condition=Ready nodes --all --timeout=180s

# cluster-info: API 服务器在哪里
trap - EXIT
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour cluster-info
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour version -o json

# nodes: 节点
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get nodes -o wide

# describe-node: 细看一个节点
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour describe node kubetour-control-plane

# load: 把镜像送到节点
trap 'kind export logs .kubetour/logs/kind-kubetour --name kubetour' EXIT
if ! { docker exec kubetour-control-plane crictl inspecti docker.io/library/node-hostname:0123456789ab && docker exec kubetour-worker crictl inspecti docker.io/library/node-hostname:0123456789ab && docker exec kubetour-worker2 crictl inspecti docker.io/library/node-hostname:0123456789ab; } >/dev/null 2>&1; then
rm -f .kubetour/image.tar
docker image save --platform linux/amd64 -o .kubetour/image.tar node-hostname:0123456789ab
kind load image-archive .kubetour/image.tar --name kubetour
rm -f .kubetour/image.tar
fi
docker exec kubetour-control-plane crictl inspecti docker.io/library/node-hostname:0123456789ab
docker exec kubetour-worker crictl inspecti docker.io/library/node-hostname:0123456789ab
docker exec kubetour-worker2 crictl inspecti docker.io/library/node-hostname:0123456789ab

# run-pod: 第一个 Pod
if ! kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get pod node-hostname-pod >/dev/null 2>&1; then
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour run node-hostname-pod --image node-hostname:0123456789ab --port 8080 --image-pull-policy IfNotPresent --labels run=node-hostname-pod,app.kubernetes.io/managed-by=kubetour
fi
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour wait --for=condition=Ready pod/node-hostname-pod --timeout=180s

# describe-bare-pod: 它经历了什么
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour describe pod node-hostname-pod

# expose-pod: 在它前面放一个 Service
if ! kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get service node-hostname-pod >/dev/null 2>&1; then
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour expose pod node-hostname-pod --type NodePort
fi

# hit-pod: 问问这个 Service
tries=0
until docker exec kubetour-control-plane curl -sS --fail --max-time 5 --noproxy '*' "http://$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get service node-hostname-pod -o 'jsonpath={.spec.clusterIP}'):8080/"; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done

# crash: 杀掉它的进程
docker exec "$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get pod node-hostname-pod -o 'jsonpath={.spec.nodeName}')" sh -c 'crictl stop $(crictl ps -q --label io.kubernetes.pod.name=node-hostname-pod)'

# delete-pod: 删掉它：谁也不会让它回来
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour delete pod/node-hostname-pod service/node-hostname-pod --ignore-not-found

# deploy: Deployment
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour apply -f - <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: "node-hostname"
  labels:
    app: "node-hostname"
    app.kubernetes.io/managed-by: kubetour
spec:
  replicas: 1
  selector:
    matchLabels:
      app: "node-hostname"
  template:
    metadata:
      labels:
        app: "node-hostname"
        app.kubernetes.io/managed-by: kubetour
      annotations:
        kubetour.dev/build-context: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: "node-hostname"
          image: "node-hostname:0123456789ab"
          imagePullPolicy: IfNotPresent
          env:
            # After SIGTERM: no node may still send a new connection when the app stops to take them.
            - name: DRAIN_MS
              value: "2000"
          ports:
            - name: http
              containerPort: 8080
          readinessProbe:
            httpGet:
              path: "/healthz"
              port: http
            periodSeconds: 1
          resources:
            requests:
              cpu: 10m
              memory: 32Mi
            limits:
              memory: 256Mi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: ["ALL"]
EOF
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour rollout status deployment/node-hostname --timeout=180s

# replace-pod: 删掉它的 Pod：会来另一个
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour delete pods -l app=node-hostname --wait=false

# expose: 给 Deployment 一个 Service
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: "node-hostname"
  labels:
    app: "node-hostname"
    app.kubernetes.io/managed-by: kubetour
spec:
  type: LoadBalancer
  selector:
    app: "node-hostname"
  ports:
    - name: http
      port: 8080
      targetPort: http
      nodePort: 30080
EOF

# services: EXTERNAL-IP 为什么会是 pending
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get services

# hit-inside: 从节点里面访问
tries=0
until docker exec kubetour-control-plane curl -sS --fail --max-time 5 --noproxy '*' "http://$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get service node-hostname -o 'jsonpath={.spec.clusterIP}'):8080/"; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done

# hit: 从外面访问
tries=0
while true; do
    # rung.load-balancer
    curl=curl; url="$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get service node-hostname -o 'go-template={{with .status.loadBalancer.ingress}}{{with index . 0}}http://{{if .ip}}{{.ip}}{{else}}{{.hostname}}{{end}}:8080/{{end}}{{end}}')"
    if [ -n "$url" ] && $curl -sS --fail --max-time 5 --noproxy '*' -H 'Connection: close' "${url}"; then break; fi
    # rung.host-port
    curl=curl; url=http://127.0.0.1:30080/
    if $curl -sS --fail --max-time 5 --noproxy '*' -H 'Connection: close' "${url}"; then break; fi
    # rung.node
    curl=curl; url="$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get service,pod -l app=node-hostname -o 'go-template={{$port := ""}}{{$host := ""}}{{range .items}}{{if eq .kind "Service"}}{{$port = (index .spec.ports 0).nodePort}}{{end}}{{if eq .kind "Pod"}}{{$host = .status.hostIP}}{{end}}{{end}}{{if and $host $port}}http://{{$host}}:{{$port}}/{{end}}')"
    if [ -n "$url" ] && $curl -sS --fail --max-time 5 --noproxy '*' -H 'Connection: close' "${url}"; then break; fi
    # rung.inside
    curl='docker exec kubetour-control-plane curl'; url="http://$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get service node-hostname -o 'jsonpath={.spec.clusterIP}'):8080/"
    if $curl -sS --fail --max-time 5 --noproxy '*' -H 'Connection: close' "${url}"; then break; fi
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done

# picture: 全貌
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get deployment,replicaset,pod,service,endpointslice -l app=node-hostname

# same-address: 后面换了人，Service 没有变
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour delete pods -l app=node-hostname --wait=false

# hit-again: 同样的问题，不同的回答
tries=0
until $curl -sS --fail --max-time 5 --noproxy '*' -H 'Connection: close' "${url}"; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done

# scale: 扩缩
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour scale deployment/node-hostname --replicas=3
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour rollout status deployment/node-hostname --timeout=180s
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get deployment node-hostname

# hit-all: 一直访问，直到每个 Pod 都回答过
tries=0
until $curl -sS --fail --max-time 5 --noproxy '*' -H 'Connection: close' "${url}?[1-37]"; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done

# scale-under-load: 边接请求边扩缩
trap 'set +e; kind export logs .kubetour/logs/kind-kubetour --name kubetour; kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour scale deployment/node-hostname --replicas=3' EXIT
.venv/bin/python -m kubetour.steady --rate 50 --before 0.5 --after 1.5 "${url}" -- kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour scale deployment/node-hostname --replicas=2 -- kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour rollout status deployment/node-hostname --timeout=180s -- kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour scale deployment/node-hostname --replicas=3 -- kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour rollout status deployment/node-hostname --timeout=180s

# pods: 哪个节点运行什么
trap 'kind export logs .kubetour/logs/kind-kubetour --name kubetour' EXIT
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get pods -o wide -l app=node-hostname

# describe-pod: 一个 Pod 的故事
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour describe pod "$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get pods -l app=node-hostname -o 'go-template={{$name := ""}}{{range .items}}{{if not .metadata.deletionTimestamp}}{{$name = .metadata.name}}{{end}}{{end}}{{$name}}')"

# delete-app: 移除应用
trap - EXIT
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour delete deployment/node-hostname service/node-hostname pod/node-hostname-pod service/node-hostname-pod --ignore-not-found

# delete-cluster: 删除集群
kind delete cluster --name kubetour --kubeconfig .kubetour/kind-kubetour.kubeconfig
rm -f .kubetour/kind-kubetour.kubeconfig
kind get clusters
docker ps -a --filter label=io.x-k8s.kind.cluster=kubetour --format '{{.Names}}'

# delete-image: 删除镜像
docker image rm node-hostname:0123456789ab
docker images --format '{{.Repository}}:{{.Tag}}'
