using InternalHost.Wan.Replay;

namespace InternalHost.Tests.Wan.Replay;

public sealed class TraceReaderTests
{
    private const string Header = "t_s,target,loss,rtt_ms\n";
    private static readonly string Corpus = Path.Combine(AppContext.BaseDirectory, "Wan", "Replay", "corpus");

    [Theory]
    [InlineData("0,tls_a,0.5,25", 0, nameof(TraceTarget.TlsA), 0.5, 25)]
    [InlineData("61.25,tls,1,", 61.25, nameof(TraceTarget.TlsA), 1, double.NaN)]
    [InlineData(" \"7\" , \"dns_a\" , 1e-1 ,\t12.5", 7, nameof(TraceTarget.DnsA), 0.1, 12.5)]
    [InlineData("-3,carrier,1,", -3, nameof(TraceTarget.Carrier), 1, double.NaN)]
    [InlineData("1763730000.123,backup,0,900", 1763730000.123, nameof(TraceTarget.Backup), 0, 900)]
    public void Row_good_is_read(string row, double seconds, string target, double loss, double rtt)
    {
        var (rows, errors) = Read(Header + row);

        Assert.Empty(errors);
        var expected = new TraceRow((long)Math.Round(seconds * TimeSpan.TicksPerSecond), Enum.Parse<TraceTarget>(target), loss, rtt);
        var only = Assert.Single(rows);
        Assert.InRange(only.T - expected.T, -2, 2);
        Assert.Equal(expected with { T = only.T }, only);
    }

    [Theory]
    [InlineData("isp_dns dns_a dns_b tls_a tls tls_b http bastion carrier egress backup")]
    public void Target_every_word_is_known(string words)
    {
        var (rows, errors) = Read(Header + string.Join('\n', words.Split(' ').Select(w => $"0,{w},0,")));

        Assert.Empty(errors);
        Assert.Equal(11, rows.Count);
        Assert.Equal(10, rows.Select(r => r.Target).Distinct().Count());
        Assert.Equal(words.Replace("tls tls_b", "tls_a tls_b", StringComparison.Ordinal), string.Join(' ', rows.Select(r => r.Target.Word())));
    }

    [Theory]
    [InlineData("x,dns_a,0,", "line 2: t_s \"x\": must be seconds, such as 61.5")]
    [InlineData(",dns_a,0,", "line 2: t_s \"\": must be seconds, such as 61.5")]
    [InlineData("1700000000000,dns_a,0,", "line 2: t_s \"1700000000000\": is out of range: are these milliseconds?")]
    [InlineData("5,dns_a,0,\n4.9,dns_a,1,", "line 3: t_s \"4.9\": goes back in time: the row before is of 5")]
    [InlineData("0,dns_c,0,", "line 2: target \"dns_c\": is not known: did you mean dns_a?")]
    [InlineData("0,DNS_A,0,", "line 2: target \"DNS_A\": must be one of isp_dns, dns_a, dns_b, tls_a, tls, tls_b, http, bastion, carrier, egress, backup")]
    [InlineData("0,dns_a,1.01,", "line 2: loss \"1.01\": must be a probability from 0 to 1")]
    [InlineData("0,dns_a,NaN,", "line 2: loss \"NaN\": must be a probability from 0 to 1")]
    [InlineData("0,dns_a,,30", "line 2: loss \"\": must be a probability from 0 to 1")]
    [InlineData("0,dns_a,0,-1", "line 2: rtt_ms \"-1\": must be milliseconds, 0 or more, or empty for as before")]
    [InlineData("0,dns_a,0,NaN", "line 2: rtt_ms \"NaN\": must be milliseconds, 0 or more, or empty for as before")]
    [InlineData("0,dns_a,0", "line 2: row \"0,dns_a,0\": has 3 fields, not 4: an rtt_ms that stays is left empty behind its comma")]
    [InlineData("0,dns_a,0,1,2", "line 2: row \"0,dns_a,0,1,2\": has 5 fields, not 4: an rtt_ms that stays is left empty behind its comma")]
    [InlineData("0,\"dns_a,0,", "line 2: row \"0,\"dns_a,0,\": has an opening quote and no closing one")]
    [InlineData("0,\"dns_a\"b,0,", "line 2: row \"0,\"dns_a\"b,0,\": has something behind its closing quote")]
    [InlineData("\n# a comment\n\n0,dns_a,2,", "line 5: loss \"2\": must be a probability from 0 to 1")]
    public void Row_bad_names_line_column_value_and_reason(string rows, string expected)
    {
        var (_, errors) = Read(Header + rows);

        Assert.Equal(expected, Assert.Single(errors).ToString());
    }

    [Theory]
    [InlineData("", "line 0: row \"\": the file is empty: the first line must be t_s,target,loss,rtt_ms")]
    [InlineData("t_s,target,loss\n0,dns_a,0\n", "line 1: header \"t_s,target,loss\": the first line must be t_s,target,loss,rtt_ms")]
    [InlineData("0,dns_a,0,\n", "line 1: header \"0,dns_a,0,\": the first line must be t_s,target,loss,rtt_ms")]
    [InlineData("# x\nt_s,target,loss,rtt_ms\n", "line 2: row \"\": there is none behind the header: nothing to play")]
    public void Header_missing_or_alone_is_one_error(string text, string expected)
    {
        var (rows, errors) = Read(text);

        Assert.Empty(rows);
        Assert.Equal(expected, Assert.Single(errors).ToString());
    }

    [Fact]
    public void Errors_all_of_one_row_and_no_more_than_are_read()
    {
        var reader = new TraceReader(new StringReader(Header + string.Concat(Enumerable.Repeat("x,y,2,-1\n", 1000))));

        Assert.Empty(reader.Rows());
        Assert.Equal(4000, reader.ErrorCount);
        Assert.Equal(TraceReader.MostErrors, reader.Errors.Count);
        Assert.Equal(["t_s", "target", "loss", "rtt_ms"], reader.Errors.Take(4).Select(e => e.Column));
    }

    [Theory]
    [InlineData("night.csv", 17, 0)]
    [InlineData("windows.csv", 3, 0)]
    [InlineData("utf16.csv", 2, 0)]
    [InlineData("mac.csv", 2, 0)]
    [InlineData("quoted.csv", 2, 3)]
    [InlineData("numbers.csv", 2, 13)]
    [InlineData("no-end.csv", 1, 1)]
    [InlineData("binary.csv", 0, 1)]
    [InlineData("empty.csv", 0, 1)]
    [InlineData("comments.csv", 0, 1)]
    [InlineData("long.csv", 0, 1)]
    [InlineData("terminal.csv", 0, 3)]
    public void Corpus_reads_as_expected(string file, int goodRows, int mistakes)
    {
        using var text = new StreamReader(Path.Combine(Corpus, file));

        var (rows, errors) = Read(text);

        Assert.Equal((goodRows, mistakes), (rows.Count, errors.Count));
        Assert.All(errors, e => Assert.DoesNotContain(e.ToString(), char.IsControl));
    }

    /// <summary>Whatever comes, the rows that are let through are sound, and whatever is not let through is said.</summary>
    [Fact]
    public void Fuzz_mutated_corpus_never_crashes_and_never_lets_nonsense_through()
    {
        var corpus = Directory.GetFiles(Corpus).Order(StringComparer.Ordinal).Select(File.ReadAllText).ToArray();
        for (var seed = 0; seed < 4000; seed++)
        {
            var text = TextMutations.Mutate(corpus[seed % corpus.Length], corpus[seed / 7 % corpus.Length], new Random(seed));
            var (rows, errors) = Read(text);

            var last = long.MinValue;
            foreach (var row in rows)
            {
                Assert.True(row.T >= last && row.Target != TraceTarget.Unknown && row.Loss is >= 0 and <= 1 && !(row.RttMs < 0), $"seed {seed}: {row}");
                last = row.T;
            }

            Assert.True(rows.Count > 0 || errors.Count > 0, $"seed {seed}: nothing read and nothing said");
            Assert.All(errors, e => Assert.DoesNotContain(e.ToString(), char.IsControl));
        }
    }

    private static (List<TraceRow> Rows, IReadOnlyList<TraceError> Errors) Read(string text) => Read(new StringReader(text));

    private static (List<TraceRow> Rows, IReadOnlyList<TraceError> Errors) Read(TextReader text)
    {
        var reader = new TraceReader(text);
        return ([.. reader.Rows()], reader.Errors);
    }
}
