"""Which method of the official Python client asks for which operation of the OpenAI API.

Facts: openai-python 3.54; a test holds the table against the client that is installed. Each method takes the path's
parameters, the query's fields and the fields of a JSON body or a form by their names.
"""

from __future__ import annotations

from functools import cache

__all__ = ["NOT_TAKEN", "client_method"]

#: Fields of an operation that the method does not take by name.
NOT_TAKEN = {
    "create-realtime-session": frozenset({"prompt", "truncation"}),
    "createImageEdit": frozenset({"images", "moderation"}),
}

#: The objects of the client, each with its methods and their operations; a line that is indented goes on.
_TABLE = """
admin.organization.admin_api_keys: create=admin-api-keys-create retrieve=admin-api-keys-get list=admin-api-keys-list
    delete=admin-api-keys-delete
admin.organization.audit_logs: list=list-audit-logs
admin.organization.certificates: create=uploadCertificate retrieve=getCertificate update=modifyCertificate
    list=listOrganizationCertificates delete=deleteCertificate activate=activateOrganizationCertificates
    deactivate=deactivateOrganizationCertificates
admin.organization.data_retention: retrieve=retrieve-organization-data-retention
    update=update-organization-data-retention
admin.organization.groups: create=create-group retrieve=retrieve-group update=update-group list=list-groups
    delete=delete-group
admin.organization.groups.roles: create=assign-group-role retrieve=retrieve-group-role list=list-group-role-assignments
    delete=unassign-group-role
admin.organization.groups.users: create=add-group-user retrieve=retrieve-group-user list=list-group-users
    delete=remove-group-user
admin.organization.invites: create=inviteUser retrieve=retrieve-invite list=list-invites delete=delete-invite
admin.organization.projects: create=create-project retrieve=retrieve-project update=modify-project list=list-projects
    archive=archive-project
admin.organization.projects.api_keys: retrieve=retrieve-project-api-key list=list-project-api-keys
    delete=delete-project-api-key
admin.organization.projects.certificates: list=listProjectCertificates activate=activateProjectCertificates
    deactivate=deactivateProjectCertificates
admin.organization.projects.data_retention: retrieve=retrieve-project-data-retention
    update=update-project-data-retention
admin.organization.projects.groups: create=add-project-group retrieve=retrieve-project-group list=list-project-groups
    delete=remove-project-group
admin.organization.projects.groups.roles: create=assign-project-group-role retrieve=retrieve-project-group-role
    list=list-project-group-role-assignments delete=unassign-project-group-role
admin.organization.projects.hosted_tool_permissions: retrieve=retrieve-project-hosted-tool-permissions
    update=update-project-hosted-tool-permissions
admin.organization.projects.model_permissions: retrieve=retrieve-project-model-permissions
    update=update-project-model-permissions delete=delete-project-model-permissions
admin.organization.projects.rate_limits: list_rate_limits=list-project-rate-limits
    update_rate_limit=update-project-rate-limits
admin.organization.projects.roles: create=create-project-role retrieve=retrieve-project-role update=update-project-role
    list=list-project-roles delete=delete-project-role
admin.organization.projects.service_accounts: create=create-project-service-account
    retrieve=retrieve-project-service-account update=update-project-service-account list=list-project-service-accounts
    delete=delete-project-service-account
admin.organization.projects.service_accounts.api_keys: create=CreateanAPIkeyforaserviceaccount
admin.organization.projects.spend_alerts: create=create-project-spend-alert retrieve=retrieve-project-spend-alert
    update=update-project-spend-alert list=list-project-spend-alerts delete=delete-project-spend-alert
admin.organization.projects.spend_limit: retrieve=Getprojectspendlimit update=Updateprojectspendlimit
    delete=Deleteprojectspendlimit
admin.organization.projects.users: create=create-project-user retrieve=retrieve-project-user update=modify-project-user
    list=list-project-users delete=delete-project-user
admin.organization.projects.users.roles: create=assign-project-user-role retrieve=retrieve-project-user-role
    list=list-project-user-role-assignments delete=unassign-project-user-role
admin.organization.roles: create=create-role retrieve=retrieve-role update=update-role list=list-roles
    delete=delete-role
admin.organization.spend_alerts: create=create-organization-spend-alert retrieve=retrieve-organization-spend-alert
    update=update-organization-spend-alert list=list-organization-spend-alerts delete=delete-organization-spend-alert
admin.organization.spend_limit: retrieve=Getorganizationspendlimit update=Updateorganizationspendlimit
    delete=Deleteorganizationspendlimit
admin.organization.usage: audio_speeches=usage-audio-speeches audio_transcriptions=usage-audio-transcriptions
    code_interpreter_sessions=usage-code-interpreter-sessions completions=usage-completions costs=usage-costs
    embeddings=usage-embeddings file_search_calls=usage-file-search-calls images=usage-images
    moderations=usage-moderations vector_stores=usage-vector-stores web_search_calls=usage-web-search-calls
admin.organization.users: retrieve=retrieve-user update=modify-user list=list-users delete=delete-user
admin.organization.users.roles: create=assign-user-role retrieve=retrieve-user-role list=list-user-role-assignments
    delete=unassign-user-role
audio.speech: create=createSpeech
audio.transcriptions: create=createTranscription
audio.translations: create=createTranslation
audio.voice_consents: create=createVoiceConsent retrieve=getVoiceConsent update=updateVoiceConsent
    list=listVoiceConsents delete=deleteVoiceConsent
audio.voices: create=createVoice
batches: create=createBatch retrieve=retrieveBatch list=listBatches cancel=cancelBatch
beta.assistants: create=createAssistant retrieve=getAssistant update=modifyAssistant list=listAssistants
    delete=deleteAssistant
chat.completions: create=createChatCompletion retrieve=getChatCompletion update=updateChatCompletion
    list=listChatCompletions delete=deleteChatCompletion
chat.completions.messages: list=getChatCompletionMessages
beta.chatkit.sessions: create=CreateChatSessionMethod cancel=CancelChatSessionMethod
beta.chatkit.threads: retrieve=GetThreadMethod list=ListThreadsMethod delete=DeleteThreadMethod
    list_items=ListThreadItemsMethod
beta.realtime.sessions: create=create-realtime-session
beta.realtime.transcription_sessions: create=create-realtime-transcription-session
beta.responses: create=beta_createResponse retrieve=beta_getResponse delete=beta_deleteResponse
    cancel=beta_cancelResponse compact=beta_Compactconversation
beta.responses.input_items: list=beta_listInputItems
beta.responses.input_tokens: count=beta_Getinputtokencounts
beta.threads: create=createThread retrieve=getThread update=modifyThread delete=deleteThread
    create_and_run=createThreadAndRun
beta.threads.messages: create=createMessage retrieve=getMessage update=modifyMessage list=listMessages
    delete=deleteMessage
beta.threads.runs: create=createRun retrieve=getRun update=modifyRun list=listRuns cancel=cancelRun
    submit_tool_outputs=submitToolOuputsToRun
beta.threads.runs.steps: retrieve=getRunStep list=listRunSteps
completions: create=createCompletion
containers: create=CreateContainer retrieve=RetrieveContainer list=ListContainers delete=DeleteContainer
containers.files: create=CreateContainerFile retrieve=RetrieveContainerFile list=ListContainerFiles
    delete=DeleteContainerFile
containers.files.content: retrieve=RetrieveContainerFileContent
content_provenance_checks: create=Createcontentprovenancecheck
conversations: create=createConversation retrieve=getConversation update=updateConversation delete=deleteConversation
conversations.items: create=createConversationItems retrieve=getConversationItem list=listConversationItems
    delete=deleteConversationItem
embeddings: create=createEmbedding
evals: create=createEval retrieve=getEval update=updateEval list=listEvals delete=deleteEval
evals.runs: create=createEvalRun retrieve=getEvalRun list=getEvalRuns delete=deleteEvalRun cancel=cancelEvalRunByPath
evals.runs.output_items: retrieve=getEvalRunOutputItem list=getEvalRunOutputItems
files: create=createFile retrieve=retrieveFile list=listFiles delete=deleteFile content=downloadFile
fine_tuning.alpha.graders: run=runGrader validate=validateGrader
fine_tuning.checkpoints.permissions: create=createFineTuningCheckpointPermission
    list=listFineTuningCheckpointPermissions delete=deleteFineTuningCheckpointPermission
fine_tuning.jobs: create=createFineTuningJob retrieve=retrieveFineTuningJob list=listPaginatedFineTuningJobs
    cancel=cancelFineTuningJob list_events=listFineTuningEvents pause=pauseFineTuningJob resume=resumeFineTuningJob
fine_tuning.jobs.checkpoints: list=listFineTuningJobCheckpoints
images: create_variation=createImageVariation edit=createImageEdit generate=createImage
models: retrieve=retrieveModel list=listModels delete=deleteModel
moderations: create=createModeration
realtime.calls: create=create-realtime-call accept=accept-realtime-call hangup=hangup-realtime-call
    refer=refer-realtime-call reject=reject-realtime-call
realtime.client_secrets: create=create-realtime-client-secret
realtime.translations.client_secrets: create=create-realtime-translation-client-secret
responses: create=createResponse retrieve=getResponse delete=deleteResponse cancel=cancelResponse
    compact=Compactconversation
responses.input_items: list=listInputItems
responses.input_tokens: count=Getinputtokencounts
skills: create=CreateSkill retrieve=GetSkill update=UpdateSkillDefaultVersion list=ListSkills delete=DeleteSkill
skills.content: retrieve=GetSkillContent
skills.versions: create=CreateSkillVersion retrieve=GetSkillVersion list=ListSkillVersions delete=DeleteSkillVersion
skills.versions.content: retrieve=GetSkillVersionContent
uploads: create=createUpload cancel=cancelUpload complete=completeUpload
uploads.parts: create=addUploadPart
vector_stores: create=createVectorStore retrieve=getVectorStore update=modifyVectorStore list=listVectorStores
    delete=deleteVectorStore search=searchVectorStore
vector_stores.file_batches: create=createVectorStoreFileBatch retrieve=getVectorStoreFileBatch
    cancel=cancelVectorStoreFileBatch list_files=listFilesInVectorStoreBatch
vector_stores.files: create=createVectorStoreFile retrieve=getVectorStoreFile update=updateVectorStoreFileAttributes
    list=listVectorStoreFiles delete=deleteVectorStoreFile content=retrieveVectorStoreFileContent
videos: create=createVideo retrieve=GetVideo list=ListVideos delete=DeleteVideo create_character=CreateVideoCharacter
    download_content=RetrieveVideoContent edit=CreateVideoEdit extend=CreateVideoExtend get_character=GetVideoCharacter
    remix=CreateVideoRemix
"""


def client_method(operation: str) -> str | None:
    """The way to the method of an operation (`beta.threads.messages.create`); None when the client has none."""
    return _methods().get(operation)


@cache
def _methods() -> dict[str, str]:
    found, place = dict[str, str](), ""
    for line in _TABLE.strip().splitlines():
        *start, methods = line.split(":", 1) if not line.startswith(" ") else (line,)
        place = start[0] if start else place
        for method in methods.split():
            name, _, operation = method.partition("=")
            found[operation] = f"{place}.{name}"
    return found
