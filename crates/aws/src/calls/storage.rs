//! S3 and SQS: where deliveries lie, and how changes are told.

use super::rates::{S3 as S3_RATE, SQS as SQS_RATE};
use super::table::table;
use crate::call::{Access, Call, Items, Paging, Rest, call};
use crate::service::Service::{S3, Sqs};

const fn queue(action: &'static str, iam: &'static [&'static str]) -> Call {
    call(Sqs, action, iam, &SQS_RATE).access(Access::Queue)
}

table! {
    STORAGE:
    /// The keys of a bucket below a prefix, in order. An empty listing has no `Contents`.
    LIST_OBJECTS = call(S3, "ListObjectsV2", &["s3:ListBucket"], &S3_RATE)
        .rest(Rest { method: "GET", path: "/{Bucket}", query: "list-type=2" })
        .shape("ListObjectsV2Output")
        .items(Items::Unless { path: "Contents", witness: "IsTruncated" })
        .paging(Paging {
            token_in: "continuation-token",
            token_out: "NextContinuationToken",
            more: Some("IsTruncated"),
            size: Some(("max-keys", 1000)),
        });
    /// An object.
    GET_OBJECT = call(S3, "GetObject", &["s3:GetObject", "s3:GetObjectVersion"], &S3_RATE).get("/{Bucket}/{Key+}");
    /// Whether an object is there, its size and version.
    HEAD_OBJECT = call(S3, "HeadObject", &["s3:GetObject", "s3:GetObjectVersion"], &S3_RATE)
        .rest(Rest { method: "HEAD", path: "/{Bucket}/{Key+}", query: "" });
    /// Up to 10 messages, hidden from others for a while.
    RECEIVE_MESSAGE = queue("ReceiveMessage", &["sqs:ReceiveMessage"]).items(Items::Omitted("Messages"));
    /// Ends a message.
    DELETE_MESSAGE = queue("DeleteMessage", &["sqs:DeleteMessage"]);
    /// Ends up to 10 messages. The answer tells each that could not be, in `Failed`.
    DELETE_MESSAGE_BATCH = queue("DeleteMessageBatch", &["sqs:DeleteMessage"]);
    /// Hides a message for another while, or no more.
    CHANGE_MESSAGE_VISIBILITY = queue("ChangeMessageVisibility", &["sqs:ChangeMessageVisibility"]);
    /// How many messages wait, and other facts of a queue.
    GET_QUEUE_ATTRIBUTES = queue("GetQueueAttributes", &["sqs:GetQueueAttributes"]).access(Access::Read);
}
