"""What people get wrong in a manifest, several things at once, and every cause that Kubernetes names, in its order."""
# ruff: noqa: E501 -- the messages are long, and cutting them would hide what is compared

from __future__ import annotations

from typing import Any

import pytest

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.registry import Registry
from tests.embedded.test_validation import BASES, C0, CONTAINER, DEPLOYMENT, RANGE, causes, changed, registry

__all__ = ["registry"]
IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
BALANCER = "may only be used when `type` is 'LoadBalancer'"
LABELS = "spec.template.metadata.labels: Invalid value"
MISMATCH = "`selector` does not match template `labels`"
COST = "controller.kubernetes.io/pod-deletion-cost"
PERCENT = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
ENV_NAME = "a valid environment variable name must consist only of printable ASCII characters other than '='"
CONTAINER_ROWS: list[tuple[Any, list[str]]] = [
    (
        {"env": [{"name": "A=B"}, {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "spec.foo"}}}]},
        [
            f'env[0].name: Invalid value: "A=B": {ENV_NAME}',
            'env[1].valueFrom.fieldRef.fieldPath: Invalid value: "spec.foo": error converting fieldPath: field label not supported: spec.foo',
        ],
    ),
    (
        {"env": [{"name": "P", "valueFrom": {"fieldRef": {"fieldPath": "status.phase"}}}]},
        [
            'env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"'
        ],
    ),
    (
        {"env": [{"name": "K", "value": "x", "valueFrom": {"configMapKeyRef": {"name": "m"}}}]},
        [
            "env[0].valueFrom.configMapKeyRef.key: Required value",
            'env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
        ],
    ),
    (
        {"env": [{"name": "R", "valueFrom": {"resourceFieldRef": {"resource": "limits.gpu"}}}]},
        [
            'env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.gpu": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"'
        ],
    ),
    (
        {"env": [{"name": "L", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a b']"}}}, {"name": "S", "valueFrom": {"fieldRef": {"fieldPath": "spec.x['a']"}}}]},
        [
            "env[0].valueFrom.fieldRef: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
            "env[1].valueFrom.fieldRef.fieldPath: Invalid value: \"spec.x['a']\": error converting fieldPath: field label does not support subscript: spec.x['a']",
        ],
    ),
    (
        {"envFrom": [{}, {"configMapRef": {}, "secretRef": {"name": "s"}}]},
        [
            'envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
            "envFrom[1].configMapRef.name: Required value",
            'envFrom: Invalid value: "": may not have more than one field specified at a time',
        ],
    ),
    (
        {"volumeMounts": [{"name": "v", "mountPath": "/a", "subPath": "../b"}, {"name": "v", "mountPath": "/a", "subPath": "/c"}]},
        [
            'volumeMounts[0].name: Not found: "v"',
            "volumeMounts.subPath: Invalid value: \"../b\": must not contain '..'",
            'volumeMounts[1].name: Not found: "v"',
            'volumeMounts[1].mountPath: Invalid value: "/a": must be unique',
            'volumeMounts.subPath: Invalid value: "/c": must be a relative path',
        ],
    ),
    (
        {"resources": {"limits": {"gpu": "1", "cpu": "-1"}}},
        [
            'resources.limits[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
            'resources.limits[gpu]: Invalid value: "gpu": must be a standard resource for containers',
            'resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
        ],
    ),
    (
        {"resources": {"limits": {"example.com/dongle": "1500m"}}},
        ['resources.limits[example.com/dongle]: Invalid value: "1500m": must be an integer'],
    ),
    (
        {"resources": {"limits": {"a.example/b": "2"}, "requests": {"a.example/b": "1", "a.example/c": "1"}}},
        [
            'resources.requests: Invalid value: "1": must be equal to a.example/b limit of 2',
            "resources.limits: Required value: Limit must be set for non overcommitable resources",
        ],
    ),
    (
        {"terminationMessagePolicy": "Log", "imagePullPolicy": "No"},
        [
            'terminationMessagePolicy: Unsupported value: "Log": supported values: "FallbackToLogsOnError", "File"',
            'imagePullPolicy: Unsupported value: "No": supported values: "Always", "IfNotPresent", "Never"',
        ],
    ),
    ({"image": " x:1"}, ['image: Invalid value: " x:1": must not have leading or trailing whitespace']),
    (
        {"ports": [{"containerPort": 80, "hostPort": 8080}, {"containerPort": 81, "hostPort": 8080}]},
        ['ports[1].hostPort: Duplicate value: "TCP//8080"'],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "expected"), CONTAINER_ROWS)
def test_each_mistake_in_a_container_is_named(registry: Registry, wrong: Any, expected: list[str]) -> None:
    pod = changed(BASES["pods"], "spec.containers.0", {**CONTAINER, **wrong})
    # A limit is a Pod's request, too, so what is wrong with one is said twice.
    found = [
        each for each in causes(lambda: registry.create("pods", pod, "default")) if "requests[" not in each
    ]
    assert found == [f"{C0}.{each}" for each in expected]


@pytest.mark.parametrize(
    ("plural", "path", "value", "expected"),
    [
        ("deployments", "spec", {}, ["spec.selector: Required value", f"{LABELS}: null: {MISMATCH}", "spec.template.spec.containers: Required value"]),
        ("deployments", "spec.selector", None, ["spec.selector: Required value", f'{LABELS}: {{"app":"d"}}: {MISMATCH}']),
        ("deployments", "spec.selector", {"matchExpressions": [{"key": "a", "operator": "Is"}]}, ['spec.selector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator', 'spec.selector: Invalid value: {"matchExpressions":[{"key":"a","operator":"Is"}]}: invalid label selector']),
        ("deployments", "spec.template.spec.activeDeadlineSeconds", 5, ["spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported"]),
        ("statefulsets", "spec.selector", {}, ["spec.selector: Invalid value: {}: empty selector is invalid for statefulset"]),
        ("daemonsets", "spec.selector", {}, ["spec.selector: Invalid value: {}: empty selector is invalid for daemonset"]),
        ("deployments", "spec.strategy", {"rollingUpdate": {"maxSurge": "0%", "maxUnavailable": "0"}}, [f'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0": {PERCENT}', 'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0": may not be 0 when `maxSurge` is 0']),
        ("daemonsets", "spec.updateStrategy", {"rollingUpdate": {"maxSurge": 1}}, ["spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero"]),
        ("daemonsets", "spec.updateStrategy", {"rollingUpdate": {"maxUnavailable": 0}}, ["spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"]),
        ("daemonsets", "spec.updateStrategy", {"rollingUpdate": {"maxUnavailable": "101%"}}, ['spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%']),
        ("statefulsets", "spec.updateStrategy", {"type": "Slow"}, ["spec.updateStrategy: Invalid value: {\"type\":\"Slow\"}: must be 'RollingUpdate' or 'OnDelete'"]),
        ("statefulsets", "spec.updateStrategy", {"rollingUpdate": {"partition": -1}}, ["spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0"]),
        ("statefulsets", "spec", {**DEPLOYMENT["spec"], "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {}}]}, ["spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required", "spec.volumeClaimTemplates[0].spec.resources[storage]: Required value"]),
        ("nodes", "spec.taints", [{"key": "a", "effect": "No"}, {"key": "b c", "value": "-"}, {"key": "a", "effect": "No"}], ['spec.taints[0].effect: Unsupported value: "No": supported values: "NoExecute", "NoSchedule", "PreferNoSchedule"', "spec.taints[1].key", "spec.taints[1].value", "spec.taints[1].effect: Required value", 'spec.taints[2].effect: Unsupported value: "No": supported values: "NoExecute", "NoSchedule", "PreferNoSchedule"', 'spec.taints[2]: Duplicate value: {"Key":"a","Value":"","Effect":"No","TimeAdded":null}: taints must be unique by key and effect pair']),
        ("services", "spec.ipFamilyPolicy", "RequireDualStack", ['spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services']),
        ("services", "spec.ipFamilies", ["IPv6"], ['spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster']),
        ("namespaces", "metadata.labels", {"pod-security.kubernetes.io/enforce": "strict", "pod-security.kubernetes.io/warn-version": "1.2"}, ['metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted', 'metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "1.2": must be "latest" or "v1.x"']),
        ("pods", "metadata.annotations", {COST: "abc"}, [f'metadata.annotations[{COST}]: Invalid value: "abc": must be a 32bit integer']),
        ("deployments", "spec.template.metadata.annotations", {COST: "+1"}, [f'spec.template.annotations[{COST}]: Invalid value: "+1": must be a 32bit integer']),
        ("poddisruptionbudgets", "spec", {"minAvailable": "150%"}, ['spec.minAvailable: Invalid value: "150%": must not be greater than 100%']),
        ("pods", "spec.tolerations", [{"key": "a", "operator": "Exists", "value": "b"}], ['spec.tolerations[0].operator: Invalid value: {"Key":"a","Operator":"Exists","Value":"b","Effect":"","TolerationSeconds":null}: value must be empty when `operator` is \'Exists\'']),
        ("pods", "spec.initContainers", [{"name": "c", "image": "x", "restartPolicy": "Never"}], ['spec.initContainers[0].restartPolicy: Unsupported value: "Never": supported values: "Always"', 'spec.initContainers[0].name: Duplicate value: "c"']),
        ("pods", "spec.containers.0.name", "a.b", [f'{C0}.name: Invalid value: "a.b": must not contain dots']),
        ("pods", "metadata.labels", {"a/b/c": "d"}, ['metadata.labels: Invalid value: "a/b/c": a valid label key must consist of alphanumeric characters, \'-\', \'_\' or \'.\', and must start and end with an alphanumeric character (e.g. \'MyName\',  or \'my.name\',  or \'123-abc\', regex used for validation is \'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\') with an optional DNS subdomain prefix and \'/\' (e.g. \'example.com/MyName\')']),
        ("pods", "metadata", {"generateName": "P-"}, ["metadata.generateName", "metadata.name"]),
        ("services", "spec.ports", [{"port": 0}], [f"spec.ports[0].port: Invalid value: 0: {RANGE}", f"spec.ports[0].targetPort: Invalid value: 0: {RANGE}"]),
        ("services", "spec.ports", [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}], ['spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}']),
        ("services", "spec", {"ports": [{"port": 1}], "type": "NodePort", "clusterIP": "1.2.3", "externalIPs": ["no"]}, [f'spec.clusterIPs[0]: Invalid value: "1.2.3": {IP}', f'spec.externalIPs[0]: Invalid value: "no": {IP}']),
        ("services", "spec", {"ports": [{"port": 1}], "sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 90000}}, "loadBalancerSourceRanges": ["10.0.0.0/8"], "healthCheckNodePort": 30000}, ["spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 90000: must be greater than 0 and less than 86400", f"spec.LoadBalancerSourceRanges: Forbidden: {BALANCER}", "spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"]),
        ("configmaps", "data", {".": "1", "..": "2", "..c": "3"}, ['data[.]: Invalid value: ".": must not be \'.\'', 'data[..]: Invalid value: "..": must not be \'..\'', 'data[..c]: Invalid value: "..c": must not start with \'..\'']),
        ("secrets", "type", "kubernetes.io/tls", ["data[tls.crt]: Required value", "data[tls.key]: Required value"]),
        ("secrets", "type", "kubernetes.io/ssh-auth", ["data[ssh-privatekey]: Required value"]),
        ("secrets", "type", "kubernetes.io/basic-auth", ["data[username]: Required value", "data[password]: Required value"]),
        ("secrets", "type", "kubernetes.io/dockerconfigjson", ["data[.dockerconfigjson]: Required value"]),
        ("secrets", "type", "kubernetes.io/service-account-token", ["metadata.annotations[kubernetes.io/service-account.name]: Required value"]),
        ("secrets", "", {"metadata": {"name": "s"}, "type": "kubernetes.io/dockercfg", "data": {".dockercfg": "eA=="}}, ["data[.dockercfg]: Invalid value: \"<secret contents redacted>\": invalid character 'x' looking for beginning of value"]),
        ("poddisruptionbudgets", "spec", {"minAvailable": 1, "maxUnavailable": 1}, ['spec: Invalid value: {"MinAvailable":1,"Selector":null,"MaxUnavailable":1,"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set']),
        ("roles", "rules", [{"resources": ["pods"]}, {"nonResourceURLs": ["/"], "verbs": ["get"]}], ["rules[0].verbs: Required value: verbs must contain at least one value", "rules[0].apiGroups: Required value: resource rules must supply at least one api group", 'rules[1].nonResourceURLs: Invalid value: ["/"]: namespaced rules cannot apply to non-resource URLs']),
        ("rolebindings", "", {"metadata": {"name": "b"}, "roleRef": {"kind": "Rule"}, "subjects": [{"kind": "Person", "name": "p"}, {"kind": "User"}]}, ['roleRef.kind: Unsupported value: "Rule": supported values: "ClusterRole", "Role"', "roleRef.name: Required value", 'subjects[0].kind: Unsupported value: "Person": supported values: "Group", "ServiceAccount", "User"', "subjects[1].name: Required value"]),
    ],
)  # fmt: skip
def test_every_mistake_is_named(
    registry: Registry, plural: str, path: str, value: Any, expected: list[str]
) -> None:
    base: Object = BASES.get(
        plural, BASES["deployments"] if plural.endswith("sets") else {"metadata": {"name": "n"}}
    )
    obj = changed(base, path, value) if path else value
    found = causes(lambda: registry.create(plural, obj, "default"))
    assert [
        text if ":" in want else text.partition(":")[0] for text, want in zip(found, expected, strict=True)
    ] == expected


def test_a_binding_leads_to_one_role_for_ever(registry: Registry) -> None:
    binding = {"metadata": {"name": "b"}, "roleRef": {"kind": "Role", "name": "r"}}
    registry.create("rolebindings", binding, "default")
    (cause,) = causes(lambda: registry.patch("rolebindings", "b", {"roleRef": {"name": "s"}}, "default"))
    assert (
        cause
        == 'roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"s"}: cannot change roleRef'
    )


@pytest.mark.parametrize(
    ("text", "at"),
    [("admin", 4), ("my password", 2), ("YQ=", 3), ("YQ==x", 4), ("YWI=x", 4), ("=", 0), ("Y\nW\nI", 2), ("YWJj=", 4), ("é", 0)],
)  # fmt: skip
def test_what_is_not_base64_is_refused_where_go_finds_it(registry: Registry, text: str, at: int) -> None:
    with pytest.raises(StatusError) as caught:
        registry.create("secrets", {"metadata": {"name": "s"}, "data": {"k": text}}, "default")
    assert (caught.value.code, caught.value.message) == (
        400,
        f'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte {at}',
    )


def test_base64_is_kept_without_line_breaks(registry: Registry) -> None:
    made = registry.create("secrets", {"metadata": {"name": "s"}, "data": {"k": "YW\nJj\r\n"}}, "default")
    assert made["data"] == {"k": "YWJj"}


def test_a_pod_needs_its_service_account(registry: Registry) -> None:
    pod = changed(BASES["pods"], "spec.serviceAccountName", "robot")
    with pytest.raises(StatusError) as caught:
        registry.create("pods", pod, "default")
    text = 'error looking up service account default/robot: serviceaccount "robot" not found'
    assert (caught.value.code, caught.value.message) == (403, f'pods "p" is forbidden: {text}')
    registry.create("serviceaccounts", {"metadata": {"name": "robot"}}, "default")
    assert registry.create("pods", pod, "default")["spec"]["serviceAccount"] == "robot"


def test_an_address_that_is_to_be_another_is_named(registry: Registry) -> None:
    registry.create("services", BASES["services"], "default")
    (cause,) = causes(
        lambda: registry.patch("services", "s", {"spec": {"clusterIP": "127.64.128.9"}}, "default")
    )
    assert cause == 'spec.clusterIPs[0]: Invalid value: ["127.64.128.9"]: may not change once set'


CRON = {
    "schedule": "@daily",
    "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [CONTAINER]}}}},
}
BACKEND = {"service": {"name": "web", "port": {"number": 80}}}
VOLUME = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/x"}}
TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [CONTAINER]}}


def _paths(**path: Any) -> list[Object]:
    return [{"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": BACKEND, **path}]}}]


@pytest.mark.parametrize(
    ("plural", "spec", "expected"),
    [
        ("cronjobs", CRON, []),
        ("cronjobs", {**CRON, "schedule": "@every 1h30m"}, []),
        ("cronjobs", {**CRON, "schedule": ""}, ["spec.schedule: Required value"]),
        ("cronjobs", {**CRON, "schedule": "* * *"}, ['spec.schedule: Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]']),
        ("cronjobs", {**CRON, "schedule": "@often"}, ['spec.schedule: Invalid value: "@often": unrecognized descriptor: @often']),
        ("cronjobs", {**CRON, "schedule": "TZ=UTC * * * * *"}, ['spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead']),
        ("cronjobs", {**CRON, "concurrencyPolicy": "Never"}, ['spec.concurrencyPolicy: Unsupported value: "Never": supported values: "Allow", "Forbid", "Replace"']),
        ("cronjobs", {"schedule": "@daily", "jobTemplate": {"spec": {"template": TEMPLATE}}}, ['spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']),
        ("ingresses", {"rules": _paths()}, []),
        ("ingresses", {}, ["spec: Invalid value: []: either `defaultBackend` or `rules` must be specified"]),
        ("ingresses", {"rules": _paths(pathType=None)}, ["spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified"]),
        ("ingresses", {"rules": _paths(path="x")}, ['spec.rules[0].http.paths[0].path: Invalid value: "x": must be an absolute path']),
        ("ingresses", {"defaultBackend": {"service": {"port": {}}}}, ["spec.defaultBackend.service.name: Required value", "spec.defaultBackend.service.port: Required value: port name or number is required"]),
        ("persistentvolumes", VOLUME, []),
        ("persistentvolumes", {"hostPath": {"path": "/x"}}, ["spec.accessModes: Required value", "spec.capacity: Required value"]),
        ("persistentvolumeclaims", {"accessModes": ["Once"]}, ['spec.accessModes: Unsupported value: "Once": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"', "spec.resources[storage]: Required value"]),
        ("replicationcontrollers", {"template": TEMPLATE}, []),
        ("replicationcontrollers", {"selector": {"a": "c"}, "template": TEMPLATE}, ['spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`']),
    ],
)  # fmt: skip
def test_what_is_only_stored_is_checked_as_well(
    registry: Registry, plural: str, spec: Any, expected: list[str]
) -> None:
    made = {"metadata": {"name": "n"}, "spec": spec}
    space = "" if plural == "persistentvolumes" else "default"
    if expected:
        assert causes(lambda: registry.create(plural, made, space)) == expected
    else:
        assert registry.create(plural, made, space)["metadata"]["uid"]


def test_a_claim_stays_as_it_was_made(registry: Registry) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    made = registry.create("persistentvolumeclaims", {"metadata": {"name": "c"}, "spec": spec}, "default")
    assert (made["status"], made["spec"]["volumeMode"]) == ({"phase": "Pending"}, "Filesystem")
    change = {"spec": {"accessModes": ["ReadWriteMany"]}}
    (cause,) = causes(lambda: registry.patch("persistentvolumeclaims", "c", change, "default"))
    assert cause.startswith("spec: Forbidden: spec is immutable after creation except resources.requests and")


def test_what_deleting_a_pod_costs_is_a_number(registry: Registry) -> None:
    registry.create("pods", BASES["pods"], "default")
    wrong = {"metadata": {"annotations": {COST: "2147483648"}}}
    (cause,) = causes(lambda: registry.patch("pods", "p", wrong, "default"))
    assert cause == f'metadata.annotations[{COST}]: Invalid value: "2147483648": must be a 32bit integer'
    registry.patch("pods", "p", {"metadata": {"annotations": {COST: "-5"}}}, "default")


def test_what_a_node_was_given_once_stays(registry: Registry) -> None:
    registry.create(
        "nodes", {"metadata": {"name": "n"}, "spec": {"podCIDR": "10.0.0.0/24", "podCIDRs": ["10.0.0.0/24"]}}
    )
    registry.patch("nodes", "n", {"spec": {"providerID": "a://b", "unschedulable": True}})
    (cause,) = causes(lambda: registry.patch("nodes", "n", {"spec": {"providerID": "a://c"}}))
    assert (
        cause == 'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid'
    )
    (cause,) = causes(lambda: registry.patch("nodes", "n", {"spec": {"podCIDR": "10.1.0.0/24"}}))
    assert cause == 'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid'


def test_the_pods_of_a_stateful_set_mount_its_claims(registry: Registry) -> None:
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    base = changed(BASES["deployments"], "spec.volumeClaimTemplates", [claim])
    mounted = changed(
        base, "spec.template.spec.containers.0.volumeMounts", [{"name": "data", "mountPath": "/data"}]
    )
    made = registry.create("statefulsets", mounted, "default")
    (kept,) = made["spec"]["volumeClaimTemplates"]
    assert (kept["apiVersion"], kept["kind"], kept["status"]) == (
        "v1",
        "PersistentVolumeClaim",
        {"phase": "Pending"},
    )
    registry.patch("statefulsets", "d", {"spec": {"replicas": 2}}, "default")
    other = changed(
        mounted, "spec.template.spec.containers.0.volumeMounts", [{"name": "log", "mountPath": "/log"}]
    )
    assert causes(
        lambda: registry.create("statefulsets", {**other, "metadata": {"name": "e"}}, "default")
    ) == [f'spec.template.{C0}.volumeMounts[0].name: Not found: "log"']
