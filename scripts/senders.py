"""Sends events from real programs. Run it through scripts/senders, which installs them:

    senders.py BINARY FOLDER-OF-PYTHON-PROGRAMS [--show]
"""
import datetime, email.message, http.client, json, os, re, socket, subprocess, sys, tempfile, textwrap, time

BINARY, PROGRAMS, *FLAGS = sys.argv[1:]
SHOW = "--show" in FLAGS
TIMEOUT = 30  # seconds
checks = 0


def check(what, found, expected):
    """Prints a check, or exits if it fails."""
    global checks
    if found != expected:
        sys.exit(f"FAILED: {what} is {found!r} and not {expected!r}")
    checks += 1
    print(f"   ok: {what} is {found!r}")


class Product:
    """A server with its own store."""

    def __init__(self, folder):
        self.log = open(os.path.join(folder, "log"), "w")
        self.process = subprocess.Popen(
            [BINARY, "--listen", "127.0.0.1:0", "--data", os.path.join(folder, "data")], stdout=subprocess.PIPE,
            stderr=self.log, text=True, env={**os.environ, "PAGERTREE_LOCAL_SMTP_LISTEN": "127.0.0.1:0"})
        port = lambda: int(self.process.stdout.readline().rsplit(":", 1)[1])
        self.port, self.smtp_port = port(), port()
        self.url = f"http://127.0.0.1:{self.port}"

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request(method, path, body and json.dumps(body), {"Authorization": "ops", "Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def integration(self, kind):
        body = {"name": kind, "type": kind, "destination_ids": ["tem_ByxQ3ukgTM"], "urgency": "high"}
        return self.call("POST", "/integration", body)["id"]

    def logs(self, integration):
        return self.call("GET", f"/log?source_id={integration}&sort=tinyId&limit=100")["data"]

    def alerts(self, integration):
        return self.call("GET", f"/alert?source_id={integration}&sort=tinyId&limit=100")["data"]

    def logged(self, integration, count):
        """Waits for `count` events. A program that has ended has its response, so only running ones need the wait."""
        end = time.monotonic() + TIMEOUT
        while len(self.logs(integration)) < count and time.monotonic() < end:
            time.sleep(0.05)
        check(f"the number of events of {integration}", len(self.logs(integration)), count)


def show(product, integration):
    if not SHOW:
        return
    for log in product.logs(integration):
        request = log["request"]
        print(textwrap.indent(f"{request['method']} {request['path']} {request['query']}\n"
                              f"{json.dumps(request['headers'])}\n{request['body']}\n-> {log['action']}: {log['outcome']}", "      "))
    for alert in product.alerts(integration):
        print(textwrap.indent(json.dumps(alert, indent=1), "      "))


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"FAILED: {command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout + done.stderr


def apprise(product):
    print("\nApprise, its PagerTree plugin")
    integration = product.integration("webhook")
    from apprise.plugins.pagertree import NotifyPagerTree
    NotifyPagerTree.notify_url = product.url + "/integration/{}"
    for number, (action, status) in enumerate([("create", "open"), ("acknowledge", "acknowledged"), ("resolve", "resolved")], 1):
        plugin = NotifyPagerTree(integration=integration, action=action, thirdparty="backup-db-1", urgency="critical",
                                 tags="db,nightly", meta_extras={"host": "db-1"})
        check(f"what Apprise says of {action}", plugin.notify(title="Backup failed", body="No space left on db-1"), True)
        product.logged(integration, number)
        [alert] = product.alerts(integration)
        check("the status", alert["status"], status)
    check("the title", alert["title"], "Backup failed")
    check("the description", alert["description"], "No space left on db-1")
    check("the third-party id", alert["thirdparty_id"], "backup-db-1")
    check("the urgency", alert["urgency"], "critical")
    check("the tags", sorted(alert["tags"]), ["db", "nightly"])
    show(product, integration)

    print("\nApprise, json:// on its command line")
    integration = product.integration("webhook")
    for number, (action, status) in enumerate([("create", "open"), ("acknowledge", "acknowledged"), ("resolve", "resolved")], 1):
        url = f"json://127.0.0.1:{product.port}/integration/{integration}?:event_type={action}&:Id=job-7&:Title=Nightly%20job%20failed"
        run(f"{PROGRAMS}/apprise", "--title", "Nightly", "--body", "exit status 3", url)
        product.logged(integration, number)
        [alert] = product.alerts(integration)
        check("the status", alert["status"], status)
    check("the title", alert["title"], "Nightly job failed")
    check("the third-party id", alert["thirdparty_id"], "job-7")
    show(product, integration)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def alertmanager(product, folder):
    print("\nPrometheus Alertmanager")
    integration = product.integration("prometheus")
    config = os.path.join(folder, "alertmanager.yml")
    with open(config, "w") as file:
        file.write(textwrap.dedent(f"""\
            route:
              receiver: pagertree
              group_by: [alertname]
              group_wait: 1s
              group_interval: 1s
            receivers:
              - name: pagertree
                webhook_configs:
                  - url: {product.url}/integration/{integration}
                    send_resolved: true
            """))
    port = free_port()
    process = subprocess.Popen(
        ["prometheus-alertmanager", f"--config.file={config}", f"--storage.path={folder}/alertmanager",
         f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="], stderr=product.log, stdout=product.log)
    try:
        now = datetime.datetime.now(datetime.timezone.utc)
        alert = {"labels": {"alertname": "InstanceDown", "instance": "db-1:9100", "severity": "critical"},
                 "annotations": {"summary": "db-1 is down", "description": "db-1 has been down for 5 minutes"},
                 "startsAt": now.isoformat()}
        post = ["curl", "--silent", "--show-error", "--fail", "--retry", "30", "--retry-connrefused", "--retry-delay", "1",
                "--header", "Content-Type: application/json", f"http://127.0.0.1:{port}/api/v2/alerts", "--data"]
        run(*post, json.dumps([alert]))
        product.logged(integration, 1)
        [firing] = product.alerts(integration)
        check("the status", firing["status"], "open")
        run(*post, json.dumps([{**alert, "endsAt": now.isoformat()}]))
        product.logged(integration, 2)
        [resolved] = product.alerts(integration)
        check("the status", resolved["status"], "resolved")
        check("the id stays", resolved["id"], firing["id"])
        check("InstanceDown in the title", "InstanceDown" in resolved["title"], True)
        show(product, integration)
    finally:
        process.terminate()
        process.wait()


def elastalert(product):
    print("\nelastalert2, its PagerTree alerter")
    integration = product.integration("elastalert")
    from elastalert.alerters.pagertree import PagerTreeAlerter
    from elastalert.loaders import FileRulesLoader
    check("the alerter of `alert: pagertree`", FileRulesLoader.alerts_mapping["pagertree"], PagerTreeAlerter)
    rule = {"name": "Too many errors", "type": "any", "alert": "pagertree", "index": "logs-*", "alert_text": "{0} errors on {1}",
            "alert_text_args": ["errors", "host"], "alert_text_type": "alert_text_only", "timestamp_field": "@timestamp",
            "alert_subject": "Errors on {0}", "alert_subject_args": ["host"],
            "pagertree_integration_url": f"{product.url}/integration/{integration}"}
    match = {"@timestamp": datetime.datetime.now(datetime.timezone.utc).isoformat(), "host": "web-3", "errors": 117}
    PagerTreeAlerter(rule).alert([match])
    product.logged(integration, 1)
    [alert] = product.alerts(integration)
    check("the status", alert["status"], "open")
    check("the title", alert["title"], "Errors on web-3")
    check("the description", alert["description"].strip(), "117 errors on web-3")
    show(product, integration)


def mail(product, folder):
    path = os.path.join(folder, "message.eml")
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = "monitor@example.com", "ops@example.com", "Disk almost full"
    message["Message-ID"] = "<disk-1@example.com>"
    message.set_content("/var on db-1 is at 97 %\n")
    with open(path, "wb") as file:
        file.write(message.as_bytes())
    senders = {
        "curl, over HTTP": lambda to: ["curl", "--silent", "--show-error", "--fail", "--header", "Content-Type: message/rfc822",
                                       "--data-binary", f"@{path}", f"{product.url}/integration/{to}"],
        "curl, over SMTP": lambda to: ["curl", "--silent", "--show-error", f"smtp://127.0.0.1:{product.smtp_port}", "--mail-from",
                                       "monitor@example.com", "--mail-rcpt", f"{to}@localhost", "--upload-file", path],
        "swaks": lambda to: ["swaks", "--server", f"127.0.0.1:{product.smtp_port}", "--from", "monitor@example.com", "--to",
                             f"{to}@localhost", "--header", "Subject: Disk almost full", "--body", "/var on db-1 is at 97 %"],
    }
    for name, command in senders.items():
        print(f"\n{name}")
        integration = product.integration("email")
        run(*command(integration))
        product.logged(integration, 1)
        [alert] = product.alerts(integration)
        check("the status", alert["status"], "open")
        check("the title", alert["title"], "Disk almost full")
        check("97 % in the description", "/var on db-1 is at 97 %" in alert["description"], True)
        show(product, integration)
    print("\nswaks, to an unknown recipient")
    stranger = subprocess.run(senders["swaks"]("int_nobody12345"), capture_output=True, text=True)
    check("550 in the answer", bool(re.search(r"^<\*\* 550 ", stranger.stdout + stranger.stderr, re.M)), True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        product = Product(folder)
        try:
            apprise(product)
            alertmanager(product, folder)
            elastalert(product)
            mail(product, folder)
        except BaseException:
            with open(product.log.name) as log:
                print(log.read()[-4000:], file=sys.stderr)
            raise
        finally:
            product.process.terminate()
            product.process.wait()
    print(f"\nall {checks} checks of real senders passed")


main()
