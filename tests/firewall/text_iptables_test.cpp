#include <gmock/gmock.h>

#include "plumbline/firewall/text/iptables.hpp"

namespace plumbline::firewall {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Words words(std::string_view text) { return split_words(text).value(); }

std::vector<std::string> jumps(std::string_view text) {
  const Words split = words(text);
  return jumps_of(options_of(split));
}

std::vector<std::string> comments(std::string_view text) {
  const Words split = words(text);
  return comments_of(options_of(split));
}

std::string refused(std::string_view text) {
  const Words split = words(text);
  return refusal(split, options_of(split));
}

std::string unfit(std::string_view text) { return split_text(text).refusal; }

// ---- words --------------------------------------------------------------------------------------

TEST(SplitWords, SeparatesAtSpacesAndTabsOutsideQuotes) {
  EXPECT_THAT(words(" -s  10.0.0.1\t-j DROP "), ElementsAre("-s", "10.0.0.1", "-j", "DROP"));
  EXPECT_THAT(words("--comment \"two  words\" x"), ElementsAre("--comment", "two  words", "x"));
  EXPECT_THAT(words(""), IsEmpty());
}

TEST(SplitWords, AQuoteOpensAnywhereAndItsCloseEndsTheWord) {
  EXPECT_THAT(words("ab\"c d\"e"), ElementsAre("abc d", "e"));
  EXPECT_THAT(words("-i \"\" -j DROP"), ElementsAre("-i", "", "-j", "DROP"));
}

TEST(SplitWords, ABackslashEscapesInsideQuotesOnly) {
  EXPECT_THAT(words(R"("a\"b\\c\nd")"), ElementsAre(R"(a"b\cnd)"));
  EXPECT_THAT(words(R"(a\b \" x")"), ElementsAre(R"(a\b)", R"(\ x)"));
}

TEST(SplitWords, NothingElseIsSpecial) {
  EXPECT_THAT(words("'two words' #x $(id) ; `y`"),
              ElementsAre("'two", "words'", "#x", "$(id)", ";", "`y`"));
}

TEST(SplitWords, AnOpenQuoteIsNoRule) {
  EXPECT_FALSE(split_words("--comment \"abc -j DROP"));
  EXPECT_FALSE(split_words(R"(--comment "abc\")"));
}

TEST(JoinAndQuoteWords, AreReadBackAsTheSameWords) {
  const Words nasty = {"", "-j", "a b", "\"", "\\", "it's", "a\\\"b", "\t", "é", "--x=\"y z\""};
  EXPECT_EQ(words(join_words(nasty)), nasty);
  EXPECT_EQ(words(quote_words(nasty)), nasty);
}

TEST(JoinWords, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(join_words(Words{"-s", "10.0.0.0/8", "!", "--comment", "two words"}),
            "-s 10.0.0.0/8 ! --comment \"two words\"");
}

TEST(QuoteWords, QuotesEveryWord) {
  EXPECT_EQ(quote_words(Words{"-j", "DROP"}), "\"-j\" \"DROP\"");
}

// ---- options ------------------------------------------------------------------------------------

TEST(Separated, MakesJoinedArgumentsWordsOfTheirOwn) {
  EXPECT_THAT(
      separated(words("-jACCEPT --protocol=tcp -s10.0.0.1 ! -fi eth0")),
      ElementsAre("-j", "ACCEPT", "--protocol", "tcp", "-s", "10.0.0.1", "!", "-fi", "eth0"));
}

TEST(Separated, LeavesTheArgumentsOfOthersAlone) {
  EXPECT_THAT(separated(words("--comment -jX -m string --string --comment=y")),
              ElementsAre("--comment", "-jX", "-m", "string", "--string", "--comment=y"));
}

TEST(JumpsOf, FindsWhatIsJumpedAndGoneTo) {
  EXPECT_THAT(jumps("-s 10.0.0.1 -j A"), ElementsAre("A"));
  EXPECT_THAT(jumps("-g B"), ElementsAre("B"));
  EXPECT_THAT(jumps("--jump C --goto=D"), ElementsAre("C", "D"));
  EXPECT_THAT(jumps("-jE"), ElementsAre("E"));
  EXPECT_THAT(jumps("-m comment --comment \"-j F\" -m string --string -j"), IsEmpty());
}

TEST(CommentsOf, FindsEveryComment) {
  EXPECT_THAT(comments("-m comment --comment a -j X -m comment --comment=b"),
              ElementsAre("a", "b"));
  EXPECT_THAT(comments("-m string --string --comment --algo bm"), IsEmpty());
}

// ---- refusals -----------------------------------------------------------------------------------

class RuleRefused : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(RuleRefused, NamingWhatIsWrong) {
  EXPECT_THAT(refused(GetParam().first), HasSubstr(GetParam().second)) << GetParam().first;
}

INSTANTIATE_TEST_SUITE_P(
    Each, RuleRefused,
    testing::Values(
        std::pair{"-t nat", "'-t'"}, std::pair{"-tnat -j DROP", "'-t'"},
        std::pair{"--table=nat -j DROP", "'--table'"},
        std::pair{"--tab nat", "short for '--table'"}, std::pair{"-j ACCEPT -A INPUT", "'-A'"},
        std::pair{"-I INPUT", "'-I'"}, std::pair{"-D INPUT 1", "'-D'"}, std::pair{"-F", "'-F'"},
        std::pair{"-fF", "'-F'"}, std::pair{"-P INPUT DROP", "'-P'"}, std::pair{"-X", "'-X'"},
        std::pair{"-Z", "'-Z'"}, std::pair{"-N x", "'-N'"}, std::pair{"-E a b", "'-E'"},
        std::pair{"-R INPUT 1", "'-R'"}, std::pair{"-C INPUT", "'-C'"}, std::pair{"-S", "'-S'"},
        std::pair{"-L", "'-L'"}, std::pair{"-c 1 2", "'-c'"},
        std::pair{"--set-counters 1 2", "'--set-counters'"},
        std::pair{"--set 1 2", "short for '--set-counters'"}, std::pair{"-M /bin/sh", "'-M'"},
        std::pair{"--modprobe=/bin/sh", "'--modprobe'"},
        std::pair{"--mod /bin/sh", "short for '--modprobe'"}, std::pair{"-4", "'-4'"},
        std::pair{"-6", "'-6'"}, std::pair{"--ipv6", "'--ipv6'"}, std::pair{"-w 10", "'-w'"},
        std::pair{"-n", "'-n'"}, std::pair{"-v", "'-v'"}, std::pair{"-x", "'-x'"},
        std::pair{"--line-numbers", "'--line-numbers'"}, std::pair{"-p tcp -h", "'-h'"},
        std::pair{"-V", "'-V'"}, std::pair{"-j DROP -- -s 1.2.3.4", "'--'"},
        std::pair{"-m set --match-set x src -A INPUT", "'-A'"},
        std::pair{"-m foo --some-option -D", "'-D'"},
        std::pair{"-m bpf --object-pinned /x", "object-pinned"},
        std::pair{"-s localhost", "looked up"}, std::pair{"-s 010.1.1.1", "no address"},
        std::pair{"-d 10.1", "no address"}, std::pair{"! -s 1.2.3.4/33", "no address"},
        std::pair{"--source 1.2.3.4,x", "no address"}, std::pair{"--sour 1.2.3.4", "cut short"},
        std::pair{"-i \"\"", "empty"}, std::pair{"-o sixteen--letters", "16 bytes"},
        std::pair{"! -i +", "no interface"}, std::pair{"--comm x", "write '--comment'"},
        std::pair{"-j LOG --log-prefix 123456789012345678901234567890", "30 bytes"}));

TEST(Refusal, LetsPassWhatOnlyLooksDangerous) {
  for (const char* text :
       {"-m comment --comment -A -j DROP", "-m comment --comment=--table",
        "-m string --algo bm --string -D -j DROP", "-m string --hex-string \"|2d|\" --algo bm",
        "-m recent --set --name x", "-m policy --dir in --pol ipsec", "-p tcp ! --syn -f",
        "-s 10.0.0.0/255.0.0.0,192.0.2.1", "-s ::1/128", "-p tcp --dpo 22", "--proto tcp",
        "-m statistic --mode random --probability 0.5", "-i eth+ -o +", "-j TEE --gateway 10.0.0.1",
        "-m connlabel --label 40 --set", ""}) {
    EXPECT_EQ(refused(text), "") << text;
  }
}

TEST(SplitText, RefusesWhatIptablesWouldMisread) {
  EXPECT_THAT(unfit("-j ACCEPT\n-A INPUT"), HasSubstr("line break"));
  EXPECT_THAT(unfit("-j ACCEPT\r"), HasSubstr("line break"));
  EXPECT_THAT(unfit(std::string_view("-j ACCEPT\0-s", 12)), HasSubstr("control"));
  EXPECT_THAT(unfit("--comment \"\x1b[2J\""), HasSubstr("control"));
  EXPECT_THAT(unfit("--comment \x7f"), HasSubstr("control"));
  EXPECT_THAT(unfit("--comment \xff"), HasSubstr("UTF-8"));
  EXPECT_THAT(unfit("--comment \"x -j DROP"), HasSubstr("quote"));
  EXPECT_THAT(unfit(std::string(1024, 'x')), HasSubstr("1024 bytes"));
  EXPECT_EQ(unfit(std::string(1023, 'x')), "");
  std::string many;
  for (int i = 0; i < 256; ++i) many += "x ";
  EXPECT_THAT(unfit(many), HasSubstr("256 words"));
  std::string longest;
  for (int i = 0; i < 10; ++i) longest += std::string(1000, 'x') + " ";
  EXPECT_THAT(unfit(longest), HasSubstr("the rule is"));
  EXPECT_EQ(unfit("-m comment --comment \"a\tb é\""), "");
}

TEST(ChainNameRefusal, RefusesWhatIptablesMisreadsOrReserves) {
  for (const std::string& name :
       {std::string(), std::string(29, 'x'), std::string("-x"), std::string("!x"),
        std::string("a b"), std::string("a\tb"), std::string("a\nb"), std::string("a\x1b"),
        std::string("a\"b"), std::string("\xff"), std::string("ACCEPT"), std::string("RETURN"),
        std::string("QUEUE"), std::string("LOG"), std::string("DNAT")}) {
    EXPECT_NE(chain_name_refusal(name), "") << name;
  }
  for (const char* name : {"APP", "a/b", "a;b", "#x", "a:b", "é", "logdrop", "Log"}) {
    EXPECT_EQ(chain_name_refusal(name), "") << name;
  }
  EXPECT_EQ(chain_name_refusal(std::string(28, 'x')), "");
}

// ---- iptables-restore ---------------------------------------------------------------------------

TEST(Merged, MakesOneRestoreForEachFamilyAndTable) {
  const std::vector<wire::FirewallRestore> restores = {
      {Family::inet, "*filter\n:A - [0:0]\n-A A -j B\nCOMMIT\n"},
      {Family::inet, "*nat\n-A OUTPUT -j X\nCOMMIT\n"},
      {Family::inet6, "*filter\n-P INPUT DROP\nCOMMIT\n"},
      {Family::inet, "*filter\n-F C\n-X C\nCOMMIT\n"},
      {Family::inet, "*filter\n:B - [0:0]\n-A B -j DROP\nCOMMIT\n"},
      {Family::inet, "*filter\n-D INPUT -j C\nCOMMIT\n"},
  };
  EXPECT_THAT(
      merged(restores),
      ElementsAre(
          wire::FirewallRestore{Family::inet,
                                "*filter\n:A - [0:0]\n:B - [0:0]\n-A A -j B\n-F C\n-A B -j DROP\n"
                                "-D INPUT -j C\n-X C\nCOMMIT\n"},
          wire::FirewallRestore{Family::inet, "*nat\n-A OUTPUT -j X\nCOMMIT\n"},
          wire::FirewallRestore{Family::inet6, "*filter\n-P INPUT DROP\nCOMMIT\n"}));
  EXPECT_THAT(merged({}), IsEmpty());
}

}  // namespace

}  // namespace plumbline::firewall
