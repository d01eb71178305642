import java.text.ParseException;
import java.util.*;
import org.quartz.CronExpression;

/** Prints what Quartz says about expressions, a line each: the expression, a tab, its next five fire times in UTC or "refused". */
public class QuartzAnswers {
    static final long FROM = java.time.Instant.parse("2031-02-03T04:05:06Z").toEpochMilli();
    static final long LATEST = java.time.Instant.parse("2100-01-01T00:00:00Z").toEpochMilli();
    static final Random RANDOM = new Random(20310203);
    static final String[] DAYS = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};
    static final String[] MONTHS = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};

    /** Chosen by hand: the documented examples, ends of ranges, the calendar's corners, and texts that are no expressions. */
    static final String[] CHOSEN = {
        "0 15 6 ? * MON-FRI", "0 0 12 ? * MON-FRI *", "0 0 12 * * ?", "0 15 10 ? * *", "0 15 10 * * ? *", "0 15 10 * * ? 2032",
        "0 * 14 * * ?", "0 0/5 14 * * ?", "0 0/5 14,18 * * ?", "0 0-5 14 * * ?", "0 10,44 14 ? 3 WED", "0 15 10 15 * ?",
        "0 15 10 L * ?", "0 15 10 L-2 * ?", "0 15 10 ? * 6L", "0 15 10 ? * 6L 2032-2035", "0 15 10 ? * 6#3", "0 0 12 1/5 * ?",
        "0 11 11 11 11 ?", "0 15 10 LW * ?", "0 15 10 15W * ?", "0 15 10 1W * ?", "0 15 10 31W * ?", "0 15 10 30W * ?",
        "0 0 0 29 2 ?", "0 0 0 30 2 ?", "0 0 0 31 4 ?", "0 0 0 31 * ?", "0 0 0 L 2 ?", "0 0 0 LW 2 ?", "0 0 0 L-30 * ?", "0 0 0 L-3 2 ?",
        "0 0 0 29W 2 ?", "0 0 0 ? * L", "0 0 0 ? * FRIL", "0 0 0 ? * fril", "0 0 0 ? * 1L", "0 0 0 ? * SUN#5", "0 0 0 ? * 2#5",
        "0 0 0 ? 2 6#5", "0 0 0 ? 2 MON#1", "0 0 0 ? * 6#1", "0 0 0 ? * FRI-MON", "0 0 0 ? * 6-2", "0 0 22-2 * * ?", "0 50-10 * * * ?",
        "0 0 0 25-5 * ?", "0 0 0 1 NOV-FEB ?", "0 0 0 1 11-2 ?", "0 0 0 ? NOV-FEB SAT", "0 0 0 1 1 ? 1999", "0 0 0 1 1 ? 2031",
        "0 0 0 1 1 ? 2099", "0 0 0 1 1 ? 1970-2099", "0 0 0 1 1 ? 2032/4", "0 0 0 1 1 ? */7", "0 0 0 1 1 ? 2032,2040,2036",
        "0 0 0 29 2 ? 2033-2035", "0 0 0 ? * MON,WED,FRI", "0 0 0 ? * MON-WED,SAT", "0 0 0 ? * 2-6/2", "0 0 0 ? * SUN/2", "0 0 0 ? * */2",
        "0 0 0 1,15 * ?", "0 0 0 1-7 * ?", "0 0 0 */10 * ?", "0 0 0 5/10 * ?", "0 0 0 2-20/6 * ?", "0 0 0 1 */3 ?", "0 0 0 1 2/3 ?",
        "0 0 0 1 JAN,JUN ?", "0 0 0 1 jan-mar ?", "0 0 0 ? * sun", "0 */15 * * * ?", "0 7/15 * * * ?", "0 5-35/10 * * * ?", "0 59 23 31 12 ?",
        "0 0 */6 * * ?", "0 30 3/6 * * ?", "59 59 23 L 12 ?", "30 * * * * ?", "5 4 3 * * ?", "0 5 4 3 2 ?", "6 5 4 3 2 ?", "7 5 4 3 2 ?", "5 5 4 3 2 ?",
        "  0 0 12 * * ?  ", "0  0\t12 *  * ?", "0 /5 * * * ?", "0 0/59 * * * ?", "0 0/1 * * * ?", "0 0 0/23 * * ?", "0 0 0 1/31 * ?", "0 0 0 1 1/12 ?",
        "0 0 0 ? * 1/7", "0 0,0,0 12 * * ?", "0 *,5 12 * * ?", "0 5,* 12 * * ?", "00 007 012 * * ?", "0 0 0 01 02 ?",
        // Beyond the field.
        "0 60 * * * ?", "60 0 * * * ?", "0 0 24 * * ?", "0 0 0 0 * ?", "0 0 0 32 * ?", "0 0 0 1 0 ?", "0 0 0 1 13 ?", "0 0 0 ? * 0", "0 0 0 ? * 8",
        "0 0/60 * * * ?", "0 0/90 * * * ?", "0 */90 * * * ?", "0 /90 * * * ?", "0 0-30/90 * * * ?", "0 5/60 * * * ?", "0 0 0/24 * * ?", "0 0 */25 * * ?",
        "0 0 2-8/24 * * ?", "0 0 0 1/32 * ?", "0 0 0 */40 * ?", "0 0 0 1 1/13 ?", "0 0 0 1 */13 ?", "0 0 0 ? * 1/8", "0 0 0 ? * */9", "0 0 0 ? * SUN/8",
        "0 0 0 ? * 1-5/9", "0 0 0 ? * MON-FRI/9", "0 0 0 1 JAN-JUN/13 ?", "0 0 0 ? * 6#0", "0 0 0 ? * 6#6", "0 0 0 32W * ?", "0 0 0 L-31 * ?", "0 0 0 L-32 * ?",
        "0 0 0 1 1 ? 2100", "0 0 0 1 1 ? 1969", "0 0 0 ? * 8L", "0 0 0 ? * 0L", "0 0 0 1 1 ? 2032/200",
        // Both day fields, or neither.
        "* * * * * *", "0 0 12 * * *", "0 0 12 1 * MON", "0 0 12 1 * 2 *", "0 0 12 ? * ?", "0 0 12 L * FRI", "0 0 12 15W * 6#3",
        // No expressions.
        "", " ", "daily", "@daily", "@every 1h", "* * * * *", "0 12 * * ?", "0 0 12 * * ? * *", "0 0 12 * * ? * x", "0 0 12 * * x", "a b c d e f", "0 0 12 ? FOO *",
        "0 0 12 ? * FOO", "0 0 12 ? * MONDAY", "0 0 12 ? JANUARY MON", "0 0 12 ? * MO", "0 0 1.5 * * ?", "0 -5 * * * ?", "0 5- * * * ?", "0 5, * * * ?",
        "0 ,5 * * * ?", "0 5,,6 * * * ?", "0 5/ * * * ?", "0 / * * * ?", "0 ? * * * ?", "? 0 0 * * ?", "0 0 0 ?,1 * MON", "0 0 0 1,? * ?", "0 L * * * ?", "0 5W * * * ?", "0 0 0 W * ?",
        "0 0 0 ? * 5W", "0 0 0 6#3 * ?", "0 0 0 L,15 * ?", "0 0 0 15W,20 * ?", "0 0 0 ? * 6L,2", "0 0 0 ? * 6#3,2", "0 0 0 ? * MON#1,FRI#3", "0 0 0 1-15W * ?", "0 0 0 L-W * ?",
        "0 0 0 ? * LW", "0 0 0 LL * ?", "0 0 0 ? * FRI#", "0 0 0 ? * #3", "0 0 0 1 1 ? 31", "0 0 0 1 1 ? 2035-2032", "0 */0 * * * ?", "0 0/0 * * * ?", "0 99999999999 * * * ?",
        "0 0 12 * * ? 99999999999", "0 1-2-3 * * * ?", "0 1/2/3 * * * ?", "0 *-5 * * * ?", "0 5-* * * * ?", "0 0 0 C * ?", "0 0 0 5C * ?", "0 0 0 ? * 1C", "H 0 0 * * ?", "0 0 0 L-0 * ?",
    };

    public static void main(String[] arguments) throws Exception {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
        Set<String> expressions = new LinkedHashSet<>(Arrays.asList(CHOSEN));
        while (expressions.size() < CHOSEN.length + 400) {
            expressions.add(generated());
        }
        StringBuilder out = new StringBuilder();
        for (String expression : expressions) {
            out.append(expression.replace("\t", "\\t")).append('\t').append(answer(expression)).append('\n');
        }
        System.out.print(out);
    }

    static String answer(String expression) {
        try {
            CronExpression cron = new CronExpression(expression);
            StringJoiner times = new StringJoiner(" ");
            Date after = new Date(FROM);
            for (int count = 0; count < 5; count++) {
                after = cron.getNextValidTimeAfter(after);
                // Quartz ends a hundred years after the day it is asked, which would make the answers depend on that day.
                if (after == null || after.getTime() >= LATEST) break;
                times.add(after.toInstant().toString());
            }
            return times.toString();
        } catch (ParseException | RuntimeException refused) {
            return "refused";
        }
    }

    static int between(int low, int high) {
        return low + RANDOM.nextInt(high - low + 1);
    }

    /** One item of a field of numbers. */
    static String item(int low, int high, String[] names) {
        String first = name(between(low, high), low, names);
        switch (RANDOM.nextInt(6)) {
            case 0: return first + "-" + name(between(low, high), low, names);
            case 1: return first + "/" + between(1, high);
            case 2: return "*/" + between(1, high);
            case 3: return between(low, high) + "-" + between(low, high) + "/" + between(1, Math.max(1, high / 3));
            default: return first;
        }
    }

    static String name(int value, int low, String[] names) {
        return names != null && RANDOM.nextBoolean() ? names[value - low] : Integer.toString(value);
    }

    static String field(int low, int high, String[] names) {
        if (RANDOM.nextInt(4) == 0) return "*";
        StringJoiner items = new StringJoiner(",");
        for (int count = RANDOM.nextInt(5) == 0 ? between(2, 4) : 1; count > 0; count--) items.add(item(low, high, names));
        return items.toString();
    }

    static String generated() {
        String dayOfMonth = "?", dayOfWeek = "?";
        if (RANDOM.nextBoolean()) {
            switch (RANDOM.nextInt(7)) {
                case 0: dayOfMonth = "L"; break;
                case 1: dayOfMonth = "L-" + between(1, 30); break;
                case 2: dayOfMonth = "LW"; break;
                case 3: dayOfMonth = between(1, 31) + "W"; break;
                default: dayOfMonth = field(1, 31, null);
            }
        } else {
            switch (RANDOM.nextInt(7)) {
                case 0: dayOfWeek = "L"; break;
                case 1: dayOfWeek = name(between(1, 7), 1, DAYS) + "L"; break;
                case 2: dayOfWeek = name(between(1, 7), 1, DAYS) + "#" + between(1, 5); break;
                default: dayOfWeek = field(1, 7, DAYS);
            }
        }
        String month = RANDOM.nextInt(3) == 0 ? field(1, 12, MONTHS) : "*";
        String expression = (RANDOM.nextInt(4) == 0 ? between(0, 59) : 0) + " " + field(0, 59, null) + " " + field(0, 23, null) + " " + dayOfMonth + " " + month + " " + dayOfWeek;
        switch (RANDOM.nextInt(6)) {
            case 0: return expression + " *";
            case 1: return expression + " " + between(2025, 2045);
            case 2: return expression + " " + between(2025, 2045) + "-" + between(2045, 2060);
            case 3: return expression + " " + between(2025, 2045) + "/" + between(1, 9);
            default: return expression;
        }
    }
}
