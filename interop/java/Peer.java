import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.ietf.jgss.GSSContext;
import org.ietf.jgss.GSSCredential;
import org.ietf.jgss.GSSException;
import org.ietf.jgss.GSSManager;
import org.ietf.jgss.GSSName;
import org.ietf.jgss.MessageProp;
import org.ietf.jgss.Oid;

/**
 * One side of a security context on Java's JGSS, driven over standard input and
 * output by a test. Arguments, frames and commands are those of c/spnego.c; of
 * the arguments there are service, flags and mech, which is krb5 or spnego.
 */
final class Peer {
    private static final DataInputStream in = new DataInputStream(System.in);
    private static final DataOutputStream out = new DataOutputStream(System.out);

    private static final int MUTUAL = 2, REPLAY = 4, SEQUENCE = 8, CONF = 16, INTEG = 32, DELEG = 1;

    private static byte[] get() throws IOException {
        byte[] b = new byte[in.readInt()];
        in.readFully(b);
        return b;
    }

    private static void put(byte[] head, byte[] body) throws IOException {
        out.writeInt(head.length + body.length);
        out.write(head);
        out.write(body);
        out.flush();
    }

    private static void put(char kind, byte[] body) throws IOException {
        put(new byte[] {(byte) kind}, body);
    }

    public static void main(String[] args) throws Exception {
        GSSManager manager = GSSManager.getInstance();
        String service = null;
        int flags = MUTUAL | REPLAY | SEQUENCE | CONF | INTEG;
        Oid krb5 = new Oid("1.2.840.113554.1.2.2"), spnego = new Oid("1.3.6.1.5.5.2"), mech = spnego;
        for (String a : args) {
            if (a.startsWith("service=")) {
                service = a.substring(8);
            } else if (a.startsWith("flags=")) {
                flags = Integer.parseInt(a.substring(6), 16);
            } else if (a.equals("mech=krb5")) {
                mech = krb5;
            }
        }
        GSSContext c;
        try {
            GSSName name = manager.createName(service, GSSName.NT_HOSTBASED_SERVICE);
            if (args[0].equals("initiate")) {
                c = manager.createContext(name, mech, null, GSSContext.DEFAULT_LIFETIME);
                c.requestMutualAuth((flags & MUTUAL) != 0);
                c.requestReplayDet((flags & REPLAY) != 0);
                c.requestSequenceDet((flags & SEQUENCE) != 0);
                c.requestConf((flags & CONF) != 0);
                c.requestInteg((flags & INTEG) != 0);
                initiate(c);
            } else {
                c = manager.createContext(manager.createCredential(name, GSSCredential.INDEFINITE_LIFETIME,
                        new Oid[] {krb5, spnego}, GSSCredential.ACCEPT_ONLY));
                accept(c);
            }
            report(c, krb5);
        } catch (GSSException e) {
            put('E', e.toString().getBytes(StandardCharsets.UTF_8));
            System.exit(1);
            return;
        }
        for (;;) {
            byte[] command;
            try {
                command = get();
            } catch (EOFException e) {
                return;
            }
            obey(c, command);
        }
    }

    private static void initiate(GSSContext c) throws GSSException, IOException {
        byte[] token = new byte[0];
        for (;;) {
            token = c.initSecContext(token, 0, token.length);
            if (token != null) {
                put('T', token);
            }
            if (c.isEstablished()) {
                return;
            }
            token = get();
        }
    }

    private static void accept(GSSContext c) throws GSSException, IOException {
        do {
            byte[] token = get();
            token = c.acceptSecContext(token, 0, token.length);
            if (token != null) {
                put('T', token);
            }
        } while (!c.isEstablished());
    }

    private static void report(GSSContext c, Oid krb5) throws GSSException, IOException {
        int flags = (c.getMutualAuthState() ? MUTUAL : 0) | (c.getReplayDetState() ? REPLAY : 0)
                | (c.getSequenceDetState() ? SEQUENCE : 0) | (c.getConfState() ? CONF : 0)
                | (c.getIntegState() ? INTEG : 0) | (c.getCredDelegState() ? DELEG : 0);
        StringBuilder mech = new StringBuilder();
        byte[] der = c.getMech().getDER();
        for (int i = 2; i < der.length; i++) {
            mech.append(String.format("%02x", der[i]));
        }
        put('O', String.format("initiator=%s%nacceptor=%s%nflags=%x%nlifetime=%d%nlocal=%d%nopen=1%nmech=%s%n",
                c.getSrcName().canonicalize(krb5), c.getTargName().canonicalize(krb5), flags, c.getLifetime(), c.isInitiator() ? 1 : 0, mech)
                .getBytes(StandardCharsets.UTF_8));
    }

    private static void obey(GSSContext c, byte[] b) throws IOException {
        byte[] head = new byte[0], result = new byte[0];
        int status = 0;
        try {
            MessageProp p = new MessageProp(0, b[0] == 'w');
            switch (b[0]) {
                case 'w', 'i' -> result = c.wrap(b, 1, b.length - 1, p);
                case 'm' -> result = c.getMIC(b, 1, b.length - 1, p);
                case 'u' -> {
                    result = c.unwrap(b, 1, b.length - 1, p);
                    head = new byte[] {(byte) (p.getPrivacy() ? 1 : 0)};
                }
                case 'v' -> {
                    int n = ByteBuffer.wrap(b, 1, 4).getInt();
                    c.verifyMIC(b, 5 + n, b.length - 5 - n, b, 5, n, p);
                }
                default -> System.exit(3);
            }
            if (p.isDuplicateToken()) {
                status |= 2;
            }
            if (p.isOldToken()) {
                status |= 4;
            }
            if (p.isUnseqToken()) {
                status |= 8;
            }
            if (p.isGapToken()) {
                status |= 16;
            }
        } catch (GSSException e) {
            status = e.getMajor() << 16;
        }
        byte[] first = ByteBuffer.allocate(4 + head.length).putInt(status).put(head).array();
        put(first, result);
    }
}
