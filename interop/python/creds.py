"""python-gssapi's credential calls, one per line.

Each line of standard input is a JSON object with the call to make, and is
answered by one: what the call returned, or {"major": …, "text": …} if it
failed. A credential that a call makes is kept under the name in "as", and
further calls find it there. Bytes are in hexadecimal digits.
"""
import json
import sys

import gssapi
from gssapi import raw

KRB5 = gssapi.OID.from_int_seq("1.2.840.113554.1.2.2")
kept = {}


def name(text, kind="principal"):
    if text is None:
        return None
    types = {
        "principal": raw.NameType.kerberos_principal,
        "host": raw.NameType.hostbased_service,
    }
    return raw.import_name(text.encode(), types[kind])


def store(q):
    s = q.get("store")
    return None if s is None else {k.encode(): v.encode() for k, v in s.items()}


def keep(q, creds):
    kept[q["as"]] = creds
    i = raw.inquire_cred(creds)
    return {
        "name": raw.display_name(i.name, False).name.decode() if i.name else "",
        "usage": i.usage,
        "lifetime": i.lifetime,
    }


def acquire(q):
    n = name(q.get("name"), q.get("kind", "principal"))
    if "password" in q:
        r = raw.acquire_cred_with_password(n, q["password"].encode(), mechs=[KRB5], usage=q["usage"])
    elif "store" in q:
        r = raw.acquire_cred_from(store(q), n, mechs=[KRB5], usage=q["usage"])
    else:
        r = raw.acquire_cred(n, mechs=[KRB5], usage=q["usage"])
    return keep(q, r.creds)


def import_(q):
    return keep(q, raw.import_cred(bytes.fromhex(q["token"])))


def export(q):
    return {"token": raw.export_cred(kept[q["cred"]]).hex()}


def store_(q):
    o = {"usage": "initiate", "mech": KRB5, "overwrite": q.get("overwrite", False), "set_default": q.get("default", False)}
    if "store" in q:
        r = raw.store_cred_into(store(q), kept[q["cred"]], **o)
    else:
        r = raw.store_cred(kept[q["cred"]], **o)
    return {"usage": r.usage}


def initiate(q):
    """One token, without mutual authentication."""
    flags = q.get("flags", int(raw.RequirementFlag.integrity | raw.RequirementFlag.confidentiality))
    r = raw.init_sec_context(name(q["target"], "host"), kept.get(q.get("cred")), mech=KRB5, flags=flags)
    return {"token": r.token.hex(), "flags": int(r.flags)}


def accept(q):
    r = raw.accept_sec_context(bytes.fromhex(q["token"]), kept.get(q.get("cred")))
    return {"name": raw.display_name(r.initiator_name, False).name.decode(), "flags": int(r.flags)}


def option(q):
    kept[q["cred"]] = raw.set_cred_option(gssapi.OID.from_int_seq(q["oid"]), kept[q["cred"]], None)
    return {}


calls = {
    "acquire": acquire, "import": import_, "export": export, "store": store_,
    "initiate": initiate, "accept": accept, "option": option,
}

for line in sys.stdin:
    q = json.loads(line)
    try:
        answer = calls[q["call"]](q)
    except gssapi.exceptions.GSSError as e:
        answer = {"major": e.maj_code, "minor": e.min_code, "text": str(e)}
    print(json.dumps(answer), flush=True)
