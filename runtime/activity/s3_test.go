package activity

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// s3 answers as Amazon does.
func s3(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("x-amz-request-id", "R1")
	q := r.URL.Query()
	switch {
	case strings.Contains(r.URL.Path, "denied"):
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access &amp; denied</Message><RequestId>R1</RequestId><HostId>H1</HostId></Error>`)
	case strings.Contains(r.URL.Path, "missing"):
		w.WriteHeader(http.StatusNotFound)
		if r.Method != http.MethodHead {
			_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>missing</Key><RequestId>R1</RequestId><HostId>H1</HostId></Error>`)
		}
	case strings.Contains(r.URL.Path, "broken"):
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `not xml`)
	case q.Has("list-type"):
		_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>`+
			`<Contents><Key>a &lt;1&gt;</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;e1&quot;</ETag><Size>3</Size></Contents><Contents><Key>ä.txt</Key><LastModified>2026-01-02T00:00:00.000Z</LastModified><Size>0</Size></Contents></ListBucketResult>`)
	case q.Has("delete"):
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, `<DeleteResult><Deleted><Key>%t</Key></Deleted><Error><Key>k2</Key><Code>InternalError</Code><Message>m</Message></Error></DeleteResult>`, strings.Contains(string(body), "<Key>k1</Key>"))
	case q.Has("uploads"):
		_, _ = io.WriteString(w, `<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><UploadId>up1</UploadId></InitiateMultipartUploadResult>`)
	case r.Method == http.MethodPut:
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("ETag", fmt.Sprintf(`"%d %s"`, len(body), r.Header.Get("Content-Type")))
	default:
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("x-amz-meta-who", "me")
		w.Header().Set("ETag", `"e2"`)
		_, _ = io.WriteString(w, "the object")
	}
}

// s3Cases are what Amazon's client gives in Node 20.
var s3Cases = map[string]struct{ text, want string }{
	"errors": {`
		const out = []; for (const k of ['denied', 'missing', 'broken']) out.push(told(await caught(s3.send(new GetObjectCommand({ Bucket: 'b', Key: k })))));
		const e = await caught(s3.send(new GetObjectCommand({ Bucket: 'b', Key: 'missing' })));
		const h = await caught(s3.send(new HeadObjectCommand({ Bucket: 'b', Key: 'missing' })));
		return [out, e instanceof NoSuchKey, e instanceof S3ServiceException, e.Key, e.$fault, e.$metadata.httpStatusCode, e.$metadata.requestId, told(h)];`,
		`[[["AccessDenied","AccessDenied","Access & denied"],["NoSuchKey","NoSuchKey","The specified key does not exist."],["Error","Error","@aws-sdk XML parse error: unexpected content.\n  Deserialization error: to see the raw response, inspect the hidden field {error}.$response on this object."]],true,true,"missing","client",404,"R1",["NotFound","NotFound","UnknownError"]]`},
	"lists": {`
		const r = await s3.send(new ListObjectsV2Command({ Bucket: 'b' })); const d = await s3.send(new DeleteObjectsCommand({ Bucket: 'b', Delete: { Objects: [{ Key: 'k1' }, { Key: 'k2' }] } }));
		const u = await s3.send(new CreateMultipartUploadCommand({ Bucket: 'b', Key: 'k' }));
		return [r.Contents, r.KeyCount, r.IsTruncated, d.Deleted, d.Errors, u.UploadId];`,
		`[[{"Key":"a <1>","LastModified":"2026-01-01T00:00:00.000Z","ETag":"\"e1\"","Size":3},{"Key":"ä.txt","LastModified":"2026-01-02T00:00:00.000Z","Size":0}],2,false,[{"Key":"true"}],[{"Key":"k2","Code":"InternalError","Message":"m"}],"up1"]`},
	"objects": {`
		const g = await s3.send(new GetObjectCommand({ Bucket: 'b', Key: 'k' })); const text = await g.Body.transformToString();
		const g2 = await s3.send(new GetObjectCommand({ Bucket: 'b', Key: 'k' }));
		const h = await s3.send(new HeadObjectCommand({ Bucket: 'b', Key: 'k' })); const p = await s3.send(new PutObjectCommand({ Bucket: 'b', Key: 'k', Body: 'text', ContentType: 'text/x' }));
		const p2 = await s3.send(new PutObjectCommand({ Bucket: 'b', Key: 'k', Body: Buffer.from('bytes') }));
		return [text, [...await g2.Body.transformToByteArray()].length, g.ContentType, g.Metadata, g.ETag, h.Metadata, p.ETag, p2.ETag];`,
		`["the object",10,"text/plain",{"who":"me"},"\"e2\"",{"who":"me"},"\"4 text/x\"","\"5 application/octet-stream\""]`},
	"streams": {`
		const g = await s3.send(new GetObjectCommand({ Bucket: 'b', Key: 'k' })); let n = 0; for await (const c of g.Body) n += c.length;
		const { Readable } = await import('node:stream'); const p = await s3.send(new PutObjectCommand({ Bucket: 'b', Key: 'k', Body: Readable.from([Buffer.from('stream')]), ContentLength: 6 }));
		return [n, typeof g.Body.pipe, p.ETag.length > 0];`,
		`[10,"function",true]`},
	"unreachable": {`
		const e = await caught(new S3Client({ ...config, endpoint: 'http://127.0.0.1:1', maxAttempts: 1 }).send(new GetObjectCommand({ Bucket: 'b', Key: 'k' }))); return [e.code, e.name];`,
		`["ECONNREFUSED","Error"]`},
}

func TestAmazonsClientIsThatOfNode(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	t.Parallel()
	url := serve(t, "127.0.0.1", s3)
	c := packagesCompiler(t)
	for name, one := range s3Cases {
		asInNode(t, c, name, "import { S3Client, GetObjectCommand, HeadObjectCommand, PutObjectCommand, ListObjectsV2Command, DeleteObjectsCommand, CreateMultipartUploadCommand, NoSuchKey, S3ServiceException } from '@aws-sdk/client-s3';\n"+
			clientHead+"\nexport const main = async (url) => {\nconst config = { region: 'eu-west-1', endpoint: url, forcePathStyle: true, maxAttempts: 1, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };\nconst s3 = new S3Client(config);\n"+
			one.text+"\n};\n", url, one.want)
	}
}
