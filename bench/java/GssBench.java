import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.security.PrivilegedExceptionAction;
import java.util.Map;
import javax.security.auth.Subject;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.AppConfigurationEntry.LoginModuleControlFlag;
import javax.security.auth.login.Configuration;
import javax.security.auth.login.LoginContext;
import org.ietf.jgss.GSSContext;
import org.ietf.jgss.GSSCredential;
import org.ietf.jgss.GSSException;
import org.ietf.jgss.GSSManager;
import org.ietf.jgss.GSSName;
import org.ietf.jgss.MessageProp;
import org.ietf.jgss.Oid;

/**
 * The work of c/gssbench.c on Java's JGSS, which has neither messages in place
 * nor associated data. Arguments, environment and output are the same ones.
 *
 * The clock is the processor time of the one thread that works: that of the
 * process counts in hundredths of a second here. So the compiler and the garbage
 * collector, which have threads of their own, cost nothing. Everything is done
 * twice, first to have it compiled.
 */
final class GssBench {
    private static final int BATCH = 100;
    // How many times as long as what is measured the warm-up takes. On a machine
    // that is not busy, more of it makes nothing faster.
    private static final int WARM_CONTEXTS = 20, WARM_MESSAGES = 5;
    private static final ThreadMXBean CLOCK = ManagementFactory.getThreadMXBean();
    private static final GSSManager MANAGER = GSSManager.getInstance();

    private final Oid krb5 = new Oid("1.2.840.113554.1.2.2");
    private final GSSName target;
    private final GSSCredential initiator, acceptor;

    private long perOp; // nanoseconds to spend on each operation
    private boolean warm;

    private GssBench(String service) throws GSSException {
        target = MANAGER.createName(service, new Oid("1.2.840.113554.1.2.2.1"));
        initiator = MANAGER.createCredential(null, GSSCredential.DEFAULT_LIFETIME, krb5, GSSCredential.INITIATE_ONLY);
        acceptor = MANAGER.createCredential(target, GSSCredential.INDEFINITE_LIFETIME, krb5, GSSCredential.ACCEPT_ONLY);
    }

    public static void main(String[] args) throws Exception {
        System.setProperty("java.security.krb5.conf", file("KRB5_CONFIG"));
        long perOp = Long.parseLong(args[1]) * 1_000_000;
        PrivilegedExceptionAction<Void> work = () -> {
            GssBench b = new GssBench(args[0]);
            b.all(WARM_CONTEXTS * perOp, WARM_MESSAGES * perOp);
            b.warm = true;
            b.all(perOp, perOp);
            return null;
        };
        Subject.doAs(login(args[0]), work);
    }

    /** Returns who has the ticket of the credential cache and the keys of the keytab. */
    private static Subject login(String service) throws Exception {
        Map<String, String> cache = Map.of("doNotPrompt", "true", "useTicketCache", "true", "ticketCache", file("KRB5CCNAME"));
        Map<String, String> keytab = Map.of("doNotPrompt", "true", "useKeyTab", "true", "keyTab", file("KRB5_KTNAME"),
                "principal", service, "storeKey", "true", "isInitiator", "false");
        LoginContext c = new LoginContext("bench", null, null, new Configuration() {
            @Override
            public AppConfigurationEntry[] getAppConfigurationEntry(String name) {
                return new AppConfigurationEntry[] {module(cache), module(keytab)};
            }
        });
        c.login();
        return c.getSubject();
    }

    private static AppConfigurationEntry module(Map<String, String> options) {
        return new AppConfigurationEntry("com.sun.security.auth.module.Krb5LoginModule", LoginModuleControlFlag.REQUIRED, options);
    }

    private static String file(String variable) {
        return System.getenv(variable).replaceFirst("^FILE:", "");
    }

    private void all(long perContext, long perMessage) throws GSSException {
        perOp = perContext;
        contexts("mutual", true);
        contexts("oneway", false);
        perOp = perMessage;
        Side s = new Side();
        s.init1(true);
        s.accept();
        s.init2();
        for (int size : new int[] {64, 1024, 65536}) {
            messages(s, "wrap", "unwrap", true, size);
            messages(s, "wrap-integ", "unwrap-integ", false, size);
            mics(s, size);
        }
        s.i.dispose();
        s.a.dispose();
    }

    /** A pair of contexts in the making. */
    private final class Side {
        GSSContext i, a;
        byte[] toAcceptor, toInitiator;

        void init1(boolean mutual) throws GSSException {
            i = MANAGER.createContext(target, krb5, initiator, GSSContext.DEFAULT_LIFETIME);
            i.requestMutualAuth(mutual);
            i.requestReplayDet(true);
            i.requestSequenceDet(true);
            i.requestConf(true);
            i.requestInteg(true);
            toAcceptor = i.initSecContext(new byte[0], 0, 0);
        }

        void accept() throws GSSException {
            a = MANAGER.createContext(acceptor);
            toInitiator = a.acceptSecContext(toAcceptor, 0, toAcceptor.length);
            a.getSrcName();
        }

        void init2() throws GSSException {
            if (toInitiator != null) {
                i.initSecContext(toInitiator, 0, toInitiator.length);
            }
            if (!i.isEstablished() || !a.isEstablished()) {
                throw new IllegalStateException("context not established");
            }
        }
    }

    private interface Step {
        /** Does operation n of a batch. */
        void run(int n) throws GSSException;
    }

    private void contexts(String name, boolean mutual) throws GSSException {
        Side[] s = new Side[BATCH];
        for (int n = 0; n < BATCH; n++) {
            s[n] = new Side();
        }
        measure("initiate/" + name, "accept/" + name, BATCH,
                n -> s[n].init1(mutual),
                n -> s[n].accept(),
                n -> {
                    s[n].init2();
                    s[n].i.dispose();
                },
                n -> s[n].a.dispose());
    }

    private void messages(Side s, String make, String take, boolean conf, int size) throws GSSException {
        byte[] msg = new byte[size];
        byte[][] tokens = new byte[Math.min(262144 / size, BATCH)][];
        measure(make + "/" + size, take + "/" + size, tokens.length,
                n -> tokens[n] = s.i.wrap(msg, 0, size, new MessageProp(conf)),
                n -> {
                    MessageProp got = new MessageProp(false);
                    int length = s.a.unwrap(tokens[n], 0, tokens[n].length, got).length;
                    if (length != size || got.getPrivacy() != conf) {
                        throw new IllegalStateException(take + " gave another message");
                    }
                });
    }

    private void mics(Side s, int size) throws GSSException {
        byte[] msg = new byte[size];
        byte[][] tokens = new byte[Math.min(262144 / size, BATCH)][];
        measure("mic/" + size, "verify/" + size, tokens.length,
                n -> tokens[n] = s.i.getMIC(msg, 0, size, new MessageProp(false)),
                n -> s.a.verifyMIC(tokens[n], 0, tokens[n].length, msg, 0, size, new MessageProp(false)));
    }

    /** Measures batches of two operations, of which the steps are parts by turns. */
    private void measure(String first, String second, int batch, Step... steps) throws GSSException {
        long[] sums = new long[2];
        long total = 0;
        while (sums[0] + sums[1] < 2 * perOp) {
            long last = CLOCK.getCurrentThreadCpuTime();
            for (int k = 0; k < steps.length; k++) {
                for (int n = 0; n < batch; n++) {
                    steps[k].run(n);
                }
                long now = CLOCK.getCurrentThreadCpuTime();
                sums[k % 2] += now - last;
                last = now;
            }
            total += batch;
        }
        if (warm) {
            System.out.printf("%s %.1f%n%s %.1f%n", first, (double) sums[0] / total, second, (double) sums[1] / total);
        }
    }
}
