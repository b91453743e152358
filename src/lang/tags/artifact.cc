#include "lang/tags/artifact.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <span>

namespace tiphys::lang {
namespace {

/// What a field holds; the pointers are nil when the document lacks the field.
enum class Holds {
  string,
  flag,
  number,
  texts,
  flag_pointer,
  number_pointer,
  /// A pointer to a struct.
  pointer,
  /// A struct whose members stand in the same JSON object.
  embedded,
};

struct Struct;

struct Field {
  std::string_view go;
  std::string_view json;
  Holds holds;
  const Struct* type = nullptr;
};

struct Struct {
  std::string_view go;
  std::span<const Field> fields;
};

using enum Holds;

constexpr Field kReferenceFields[] = {{"Name", "name", string}};
constexpr Struct kReference{"v1.LocalObjectReference", kReferenceFields};
constexpr Field kKeySelectorFields[] = {{"LocalObjectReference", "", embedded, &kReference},
                                        {"Key", "key", string},
                                        {"Optional", "optional", flag_pointer}};
constexpr Struct kSecret{"v1.SecretKeySelector", kKeySelectorFields};
constexpr Struct kConfigMapKey{"v1.ConfigMapKeySelector", kKeySelectorFields};

constexpr Field kS3CreateFields[] = {{"ObjectLocking", "objectLocking", flag}};
constexpr Struct kS3Create{"v1alpha1.CreateS3BucketOptions", kS3CreateFields};
constexpr Field kS3EncryptionFields[] = {
    {"KmsKeyId", "kmsKeyId", string},
    {"KmsEncryptionContext", "kmsEncryptionContext", string},
    {"EnableEncryption", "enableEncryption", flag},
    {"ServerSideCustomerKeySecret", "serverSideCustomerKeySecret", pointer, &kSecret}};
constexpr Struct kS3Encryption{"v1alpha1.S3EncryptionOptions", kS3EncryptionFields};
constexpr Field kS3BucketFields[] = {
    {"Endpoint", "endpoint", string},
    {"Bucket", "bucket", string},
    {"Region", "region", string},
    {"Insecure", "insecure", flag_pointer},
    {"AccessKeySecret", "accessKeySecret", pointer, &kSecret},
    {"SecretKeySecret", "secretKeySecret", pointer, &kSecret},
    {"SessionTokenSecret", "sessionTokenSecret", pointer, &kSecret},
    {"RoleARN", "roleARN", string},
    {"UseSDKCreds", "useSDKCreds", flag},
    {"CreateBucketIfNotPresent", "createBucketIfNotPresent", pointer, &kS3Create},
    {"EncryptionOptions", "encryptionOptions", pointer, &kS3Encryption},
    {"CASecret", "caSecret", pointer, &kSecret},
    {"AddressingStyle", "addressingStyle", string}};
constexpr Struct kS3Bucket{"v1alpha1.S3Bucket", kS3BucketFields};
constexpr Field kS3Fields[] = {{"S3Bucket", "", embedded, &kS3Bucket}, {"Key", "key", string}};
constexpr Struct kS3{"v1alpha1.S3Artifact", kS3Fields};

constexpr Field kGitFields[] = {{"Repo", "repo", string},
                                {"Revision", "revision", string},
                                {"Depth", "depth", number_pointer},
                                {"Fetch", "fetch", texts},
                                {"UsernameSecret", "usernameSecret", pointer, &kSecret},
                                {"PasswordSecret", "passwordSecret", pointer, &kSecret},
                                {"SSHPrivateKeySecret", "sshPrivateKeySecret", pointer, &kSecret},
                                {"InsecureIgnoreHostKey", "insecureIgnoreHostKey", flag},
                                {"DisableSubmodules", "disableSubmodules", flag},
                                {"SingleBranch", "singleBranch", flag},
                                {"Branch", "branch", string},
                                {"InsecureSkipTLS", "insecureSkipTLS", flag}};
constexpr Struct kGit{"v1alpha1.GitArtifact", kGitFields};

constexpr Field kHttpFields[] = {{"URL", "url", string},
                                 {"SaveStreamViaFile", "saveStreamViaFile", flag}};
constexpr Struct kHttp{"v1alpha1.HTTPArtifact", kHttpFields};

constexpr Field kArtifactoryAuthFields[] = {
    {"UsernameSecret", "usernameSecret", pointer, &kSecret},
    {"PasswordSecret", "passwordSecret", pointer, &kSecret}};
constexpr Struct kArtifactoryAuth{"v1alpha1.ArtifactoryAuth", kArtifactoryAuthFields};
constexpr Field kArtifactoryFields[] = {{"URL", "url", string},
                                        {"ArtifactoryAuth", "", embedded, &kArtifactoryAuth}};
constexpr Struct kArtifactory{"v1alpha1.ArtifactoryArtifact", kArtifactoryFields};

constexpr Field kHdfsKrbFields[] = {
    {"KrbCCacheSecret", "krbCCacheSecret", pointer, &kSecret},
    {"KrbKeytabSecret", "krbKeytabSecret", pointer, &kSecret},
    {"KrbUsername", "krbUsername", string},
    {"KrbRealm", "krbRealm", string},
    {"KrbConfigConfigMap", "krbConfigConfigMap", pointer, &kConfigMapKey},
    {"KrbServicePrincipalName", "krbServicePrincipalName", string}};
constexpr Struct kHdfsKrb{"v1alpha1.HDFSKrbConfig", kHdfsKrbFields};
constexpr Field kHdfsConfigFields[] = {
    {"HDFSKrbConfig", "", embedded, &kHdfsKrb},
    {"Addresses", "addresses", texts},
    {"HDFSUser", "hdfsUser", string},
    {"DataTransferProtection", "dataTransferProtection", string}};
constexpr Struct kHdfsConfig{"v1alpha1.HDFSConfig", kHdfsConfigFields};
constexpr Field kHdfsFields[] = {
    {"HDFSConfig", "", embedded, &kHdfsConfig}, {"Path", "path", string}, {"Force", "force", flag}};
constexpr Struct kHdfs{"v1alpha1.HDFSArtifact", kHdfsFields};

constexpr Field kRawFields[] = {{"Data", "data", string}};
constexpr Struct kRaw{"v1alpha1.RawArtifact", kRawFields};

constexpr Field kOssRuleFields[] = {
    {"MarkInfrequentAccessAfterDays", "markInfrequentAccessAfterDays", number},
    {"MarkDeletionAfterDays", "markDeletionAfterDays", number}};
constexpr Struct kOssRule{"v1alpha1.OSSLifecycleRule", kOssRuleFields};
constexpr Field kOssBucketFields[] = {
    {"Endpoint", "endpoint", string},
    {"Bucket", "bucket", string},
    {"AccessKeySecret", "accessKeySecret", pointer, &kSecret},
    {"SecretKeySecret", "secretKeySecret", pointer, &kSecret},
    {"CreateBucketIfNotPresent", "createBucketIfNotPresent", flag},
    {"SecurityToken", "securityToken", string},
    {"LifecycleRule", "lifecycleRule", pointer, &kOssRule},
    {"UseSDKCreds", "useSDKCreds", flag}};
constexpr Struct kOssBucket{"v1alpha1.OSSBucket", kOssBucketFields};
constexpr Field kOssFields[] = {{"OSSBucket", "", embedded, &kOssBucket}, {"Key", "key", string}};
constexpr Struct kOss{"v1alpha1.OSSArtifact", kOssFields};

constexpr Field kGcsBucketFields[] = {
    {"Bucket", "bucket", string},
    {"ServiceAccountKeySecret", "serviceAccountKeySecret", pointer, &kSecret}};
constexpr Struct kGcsBucket{"v1alpha1.GCSBucket", kGcsBucketFields};
constexpr Field kGcsFields[] = {{"GCSBucket", "", embedded, &kGcsBucket}, {"Key", "key", string}};
constexpr Struct kGcs{"v1alpha1.GCSArtifact", kGcsFields};

constexpr Field kAzureContainerFields[] = {
    {"Endpoint", "endpoint", string},
    {"Container", "container", string},
    {"AccountKeySecret", "accountKeySecret", pointer, &kSecret},
    {"UseSDKCreds", "useSDKCreds", flag}};
constexpr Struct kAzureContainer{"v1alpha1.AzureBlobContainer", kAzureContainerFields};
constexpr Field kAzureFields[] = {{"AzureBlobContainer", "", embedded, &kAzureContainer},
                                  {"Blob", "blob", string}};
constexpr Struct kAzure{"v1alpha1.AzureArtifact", kAzureFields};

constexpr Field kPluginFields[] = {{"Name", "name", string},
                                   {"Configuration", "configuration", string},
                                   {"ConnectionTimeoutSeconds", "connectionTimeoutSeconds", number},
                                   {"Key", "key", string}};
constexpr Struct kPlugin{"v1alpha1.PluginArtifact", kPluginFields};

constexpr Field kTarFields[] = {{"CompressionLevel", "compressionLevel", number_pointer}};
constexpr Struct kTar{"v1alpha1.TarStrategy", kTarFields};
constexpr Struct kNone{"v1alpha1.NoneStrategy", {}};
constexpr Struct kZip{"v1alpha1.ZipStrategy", {}};
constexpr Field kArchiveFields[] = {{"Tar", "tar", pointer, &kTar},
                                    {"None", "none", pointer, &kNone},
                                    {"Zip", "zip", pointer, &kZip}};
constexpr Struct kArchive{"v1alpha1.ArchiveStrategy", kArchiveFields};
constexpr Field kGarbageFields[] = {{"Strategy", "strategy", string},
                                    {"ServiceAccountName", "serviceAccountName", string}};
constexpr Struct kGarbage{"v1alpha1.ArtifactGC", kGarbageFields};

constexpr Field kLocationFields[] = {{"ArchiveLogs", "archiveLogs", flag_pointer},
                                     {"S3", "s3", pointer, &kS3},
                                     {"Git", "git", pointer, &kGit},
                                     {"HTTP", "http", pointer, &kHttp},
                                     {"Artifactory", "artifactory", pointer, &kArtifactory},
                                     {"HDFS", "hdfs", pointer, &kHdfs},
                                     {"Raw", "raw", pointer, &kRaw},
                                     {"OSS", "oss", pointer, &kOss},
                                     {"GCS", "gcs", pointer, &kGcs},
                                     {"Azure", "azure", pointer, &kAzure},
                                     {"Plugin", "plugin", pointer, &kPlugin}};
constexpr Struct kLocation{"v1alpha1.ArtifactLocation", kLocationFields};
constexpr Field kArtifactFields[] = {{"Name", "name", string},
                                     {"Path", "path", string},
                                     {"Mode", "mode", number_pointer},
                                     {"From", "from", string},
                                     {"ArtifactLocation", "", embedded, &kLocation},
                                     {"GlobalName", "globalName", string},
                                     {"Archive", "archive", pointer, &kArchive},
                                     {"Optional", "optional", flag},
                                     {"SubPath", "subPath", string},
                                     {"RecurseMode", "recurseMode", flag},
                                     {"FromExpression", "fromExpression", string},
                                     {"ArtifactGC", "artifactGC", pointer, &kGarbage},
                                     {"Deleted", "deleted", flag}};
constexpr Struct kArtifact{"v1alpha1.Artifact", kArtifactFields};

const Field* find_field(const Struct& type, std::string_view name) {
  for (const Field& field : type.fields) {
    if (field.go == name) {
      return &field;
    }
  }
  for (const Field& field : type.fields) {
    if (field.holds == embedded) {
      if (const Field* inner = find_field(*field.type, name)) {
        return inner;
      }
    }
  }
  return nullptr;
}

class StructValue final : public ExprObject {
 public:
  StructValue(const Struct& type, doc::Value document)
      : type_(type), document_(std::move(document)) {}

  std::string go_name() const override { return std::string(type_.go); }

  std::optional<ExprType> field_type(std::string_view name) const override {
    const Field* field = find_field(type_, name);
    return field == nullptr ? std::nullopt : std::optional(type_of(*field));
  }

  std::optional<ExprValue> field(std::string_view name) const override {
    const Field* field = find_field(type_, name);
    return field == nullptr ? std::nullopt : std::optional(value_of(*field));
  }

  doc::Value to_json() const override { return document_; }

  std::string text() const override {
    std::string out = "{";
    for (const Field& field : type_.fields) {
      out += fmt::format("{}{}:{}", out.size() > 1 ? " " : "", field.go, text_of(field));
    }
    return out + "}";
  }

 private:
  static ExprType type_of(const Field& field) {
    switch (field.holds) {
      case string:
        return ExprKind::string;
      case flag:
      case flag_pointer:
        return ExprKind::boolean;
      case number:
      case number_pointer:
        return ExprKind::int32;
      case texts:
        return ExprType::list_of(ExprKind::string);
      case pointer:
      case embedded:
        break;
    }
    return ExprType::object(std::make_shared<const StructValue>(*field.type, doc::Value()));
  }

  ExprValue value_of(const Field& field) const {
    if (field.holds == embedded) {
      return ExprValue::object(std::make_shared<const StructValue>(*field.type, document_));
    }
    const doc::Value* value = doc::find(document_, field.json);
    switch (field.holds) {
      case string:
        return ExprValue::string(std::string(doc::find_string(document_, field.json)));
      case flag:
        return ExprValue::boolean(value != nullptr && value->is_bool() && value->get_bool());
      case number:
        return ExprValue::sized_integer(ExprKind::int32, integer_of(value));
      case texts:
        return texts_of(value);
      default:
        break;
    }
    if (value == nullptr || value->is_null()) {
      return {};
    }
    if (field.holds == flag_pointer) {
      return ExprValue::boolean(value->is_bool() && value->get_bool());
    }
    if (field.holds == number_pointer) {
      return ExprValue::sized_integer(ExprKind::int32, integer_of(value));
    }
    return ExprValue::object(std::make_shared<const StructValue>(*field.type, *value));
  }

  static std::int64_t integer_of(const doc::Value* value) {
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
  }

  static ExprValue texts_of(const doc::Value* value) {
    ExprList list;
    if (value != nullptr && value->is_array()) {
      for (const doc::Value& element : value->get_array()) {
        const auto* held = element.if_string();
        list.push_back(ExprValue::string(held == nullptr ? "" : std::string(doc::text_of(*held))));
      }
    }
    return ExprValue::list(std::move(list), ExprKind::string);
  }

  /// Go's %+v: absent numbers and flags are "<nil>", absent structs print themselves as "nil".
  std::string text_of(const Field& field) const {
    const ExprValue value = value_of(field);
    if (value.is_nil()) {
      return field.holds == pointer ? "nil" : "<nil>";
    }
    return value.kind() == ExprKind::object ? value.as_object()->text() : value.text();
  }

  const Struct& type_;
  doc::Value document_;
};

}  // namespace

ExprValue artifact_value(doc::Value artifact) {
  return ExprValue::object(std::make_shared<const StructValue>(kArtifact, std::move(artifact)));
}

}  // namespace tiphys::lang
