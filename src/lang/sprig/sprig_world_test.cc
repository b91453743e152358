/// Functions that use what was handed in: the clock, random bytes, hosts; and OpenSSL.
#include "lang/sprig/sprig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <crypt.h>
#include <memory>

namespace tiphys::lang {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

class SprigWorld : public ::testing::Test {
 protected:
  SprigWorld() {
    add_sprig(table_, {.now = [] { return Instant{.unix_seconds = 1'700'000'000}; },
                       .random =
                           [this](std::span<unsigned char> bytes) {
                             for (unsigned char& byte : bytes) {
                               state_ = state_ * 6'364'136'223'846'793'005U + 1;
                               byte = static_cast<unsigned char>(state_ >> 56U);
                             }
                           },
                       .lookup_host =
                           [](std::string_view host) {
                             return host == "known" ? std::vector<std::string>{"10.0.0.7"}
                                                    : std::vector<std::string>();
                           }});
  }

  std::string run(const std::string& expression) {
    const auto compiled = Expr::compile(expression, table_);
    if (!compiled) {
      return "error: " + compiled.error().message;
    }
    const auto value = compiled->run(table_);
    return value ? value->text() : "error: " + value.error().message;
  }

  ExprTable table_;
  std::uint64_t state_ = 1;
};

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }

  void operator()(X509* certificate) const { X509_free(certificate); }

  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

std::unique_ptr<X509, Free> read_certificate(const std::string& pem) {
  const std::unique_ptr<BIO, Free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return std::unique_ptr<X509, Free>(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

bool is_signed_by(X509* certificate, X509* issuer) {
  const std::unique_ptr<EVP_PKEY, Free> key(X509_get_pubkey(issuer));
  return X509_verify(certificate, key.get()) == 1;
}

TEST_F(SprigWorld, tells_the_time_of_the_clock_it_was_given) {
  EXPECT_EQ(run("sprig.now()"), "2023-11-14 22:13:20 +0000 UTC");
  EXPECT_EQ(run("sprig.date('2006', 'no date')"), "2023");
  EXPECT_EQ(run("sprig.ago(1699990000)"), "2h46m40s");
  EXPECT_EQ(run("sprig.durationRound(sprig.toDate('2006-01-02', '2023-11-01'))"), "13d");
}

TEST_F(SprigWorld, draws_from_the_randomness_it_was_given) {
  EXPECT_THAT(run("sprig.randAlphaNum(40)"), MatchesRegex("[0-9A-Za-z]+"));
  EXPECT_THAT(run("sprig.randAlpha(40)"), MatchesRegex("[A-Za-z]+"));
  EXPECT_THAT(run("sprig.randNumeric(40)"), MatchesRegex("[0-9]+"));
  EXPECT_THAT(run("sprig.randAscii(40)"), MatchesRegex("[ -~]+"));
  EXPECT_THAT(run("sprig.uuidv4()"),
              MatchesRegex("[0-9a-f]+-[0-9a-f]+-4[0-9a-f]+-[89ab][0-9a-f]+-[0-9a-f]+"));
  EXPECT_EQ(run("len(sprig.randBytes(6))"), "8");
  EXPECT_EQ(run("let n = sprig.randInt(-3, 3); n >= -3 && n < 3"), "true");
  EXPECT_EQ(run("len(sprig.shuffle('abcdef'))"), "6");
  EXPECT_NE(run("sprig.randAlpha(20)"), run("sprig.randAlpha(20)"));
}

TEST_F(SprigWorld, fails_without_a_world) {
  ExprTable table;
  add_sprig(table, {});
  const auto fails = [&table](const char* expression) {
    return !Expr::compile(expression, table)->run(table);
  };
  EXPECT_TRUE(fails("sprig.now()"));
  EXPECT_TRUE(fails("sprig.randAlpha(3)"));
  EXPECT_TRUE(fails("sprig.bcrypt('x')"));
  EXPECT_TRUE(fails("sprig.genCA('x', 1)"));
  EXPECT_TRUE(fails("sprig.getHostByName('x')"));
}

TEST_F(SprigWorld, refuses_randomness_that_never_varies) {
  ExprTable table;
  add_sprig(table, {.now = {},
                    .random =
                        [](std::span<unsigned char> bytes) {
                          std::ranges::fill(bytes, static_cast<unsigned char>(0xFF));
                        },
                    .lookup_host = {}});
  EXPECT_FALSE(Expr::compile("sprig.randNumeric(3)", table)->run(table));
}

TEST_F(SprigWorld, asks_for_hosts) {
  EXPECT_EQ(run("sprig.getHostByName('known')"), "10.0.0.7");
  EXPECT_THAT(run("sprig.getHostByName('other')"), StartsWith("error: invalid argument to Intn"));
}

TEST_F(SprigWorld, hashes_passwords_so_that_others_can_check_them) {
  const std::string hash = run("sprig.bcrypt('secret')");
  EXPECT_THAT(hash, StartsWith("$2a$10$"));
  crypt_data state{};
  EXPECT_EQ(std::string(crypt_r("secret", hash.c_str(), &state)), hash);
  EXPECT_THAT(run("sprig.htpasswd('me', 'secret')"), StartsWith("me:$2a$10$"));
}

TEST_F(SprigWorld, derives_the_passwords_of_the_master_password_algorithm) {
  table_.set("counter", ExprValue::sized_integer(ExprKind::uint32, 1));
  EXPECT_EQ(run("sprig.derivePassword(counter, 'long', 'password', 'user', 'example.com')"),
            "ZedaFaxcZaso9*");
  EXPECT_EQ(run("sprig.derivePassword(counter, 'maximum', 'password', 'user', 'example.com')"),
            "pf4zS1LjCg&LjhsZ7T2~");
  EXPECT_EQ(run("sprig.derivePassword(counter, 'pin', 'password', 'user', 'example.com')"), "6685");
  EXPECT_EQ(run("sprig.derivePassword(counter, 'x', '', '', '')"),
            "cannot find password template x");
}

TEST_F(SprigWorld, encrypts_what_it_can_decrypt) {
  EXPECT_EQ(run("sprig.decryptAES('key', sprig.encryptAES('key', 'héllo'))"), "héllo");
  EXPECT_NE(run("sprig.encryptAES('key', 'x')"), run("sprig.encryptAES('key', 'x')"));
}

TEST_F(SprigWorld, makes_private_keys_of_each_kind) {
  EXPECT_THAT(run("sprig.genPrivateKey('ecdsa')"), StartsWith("-----BEGIN EC PRIVATE KEY-----\n"));
  EXPECT_THAT(run("sprig.genPrivateKey('ed25519')"), StartsWith("-----BEGIN PRIVATE KEY-----\n"));
  EXPECT_EQ(run("sprig.genPrivateKey('other')"), "Unknown type other");
}

TEST_F(SprigWorld, signs_certificates) {
  const std::string authority =
      "let ca = sprig.genCAWithKey('root', 10, sprig.genPrivateKey("
      "'ecdsa')); let leaf = sprig.genSignedCertWithKey('leaf', "
      "['10.0.0.1', '::1'], ['a.example'], 5, ca, "
      "sprig.genPrivateKey('ecdsa')); ca.Cert + '|' + leaf.Cert";
  const std::string both = run(authority);
  const std::size_t bar = both.find('|');
  ASSERT_NE(bar, std::string::npos) << both;
  const auto root = read_certificate(both.substr(0, bar));
  const auto leaf = read_certificate(both.substr(bar + 1));
  ASSERT_TRUE(root && leaf);
  EXPECT_TRUE(is_signed_by(root.get(), root.get()));
  EXPECT_TRUE(is_signed_by(leaf.get(), root.get()));
  EXPECT_EQ(X509_check_ca(root.get()), 1);
  EXPECT_EQ(X509_check_ca(leaf.get()), 0);
  EXPECT_EQ(X509_check_host(leaf.get(), "a.example", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "10.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "::1", 0), 1);
  std::time_t end = 1'700'000'000 + 5 * 86'400;
  EXPECT_EQ(X509_cmp_time(X509_get0_notAfter(leaf.get()), &end), -1);
  --end;
  EXPECT_EQ(X509_cmp_time(X509_get0_notAfter(leaf.get()), &end), 1);
}

TEST_F(SprigWorld, signs_with_a_new_key_when_none_is_given) {
  const std::string pem = run("sprig.genSelfSignedCert('me', [], ['b.example'], 1).Cert");
  const auto certificate = read_certificate(pem);
  ASSERT_TRUE(certificate) << pem;
  EXPECT_TRUE(is_signed_by(certificate.get(), certificate.get()));
}

TEST_F(SprigWorld, checks_the_certificates_it_is_given) {
  EXPECT_EQ(run("let c = sprig.genCAWithKey('x', 1, sprig.genPrivateKey('ecdsa')); "
                "sprig.buildCustomCert(sprig.b64enc(c.Cert), sprig.b64enc(c.Key)).Cert == c.Cert"),
            "true");
  EXPECT_THAT(run("sprig.genCAWithKey('x', 1, 'no key')"),
              StartsWith("error: parsing private key: no PEM data in input"));
  EXPECT_THAT(run("sprig.genSelfSignedCert('x', ['1.2.3'], [], 1)"),
              StartsWith("error: error parsing ip: 1.2.3"));
}

}  // namespace
}  // namespace tiphys::lang
